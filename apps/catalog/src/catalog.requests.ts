import { Controller } from '@nestjs/common';
import {
  CancelPublication,
  ChangeStock,
  ClosePublication,
  GetProduct,
  GetPublication,
  ListProducts,
  ListRejectedRows,
  OpenPublication,
  PausePublication,
  ResumePublication,
  StageChunk,
} from '#contracts';
import { type RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { Browse } from './browse/browse.js';
import { ControlPublicationUseCase } from './publish/control-publication.js';
import { PublicationViews } from './publish/publication-view.js';
import { Publications } from './publish/publications.js';
import { ChangeStockUseCase } from './stock/change-stock.js';

/** The queries and commands that the catalog answers. */
@Controller()
export class CatalogRequests {
  constructor(
    private readonly browse: Browse,
    private readonly publications: Publications,
    private readonly control: ControlPublicationUseCase,
    private readonly views: PublicationViews,
    private readonly stock: ChangeStockUseCase,
  ) {}

  @HandleRequest(GetProduct)
  getProduct({ sku }: RequestOf<typeof GetProduct>) {
    return this.browse.get(sku);
  }

  @HandleRequest(ListProducts)
  listProducts(request: RequestOf<typeof ListProducts>) {
    return this.browse.list(request);
  }

  @HandleRequest(OpenPublication)
  open(request: RequestOf<typeof OpenPublication>) {
    return this.publications.open(request);
  }

  @HandleRequest(StageChunk)
  stage(request: RequestOf<typeof StageChunk>) {
    return this.publications.stage(request);
  }

  @HandleRequest(ClosePublication)
  close(request: RequestOf<typeof ClosePublication>) {
    return this.publications.close(request);
  }

  @HandleRequest(ChangeStock)
  changeStock(request: RequestOf<typeof ChangeStock>) {
    return this.stock.change(request);
  }

  @HandleRequest(GetPublication)
  getPublication({ publicationId }: RequestOf<typeof GetPublication>) {
    return this.views.get(publicationId);
  }

  @HandleRequest(ListRejectedRows)
  listRejectedRows(request: RequestOf<typeof ListRejectedRows>) {
    return this.views.rejected(request);
  }

  @HandleRequest(PausePublication)
  pause({ publicationId }: RequestOf<typeof PausePublication>) {
    return this.control.pause(publicationId);
  }

  @HandleRequest(ResumePublication)
  resume({ publicationId }: RequestOf<typeof ResumePublication>) {
    return this.control.resume(publicationId);
  }

  @HandleRequest(CancelPublication)
  cancel({ publicationId }: RequestOf<typeof CancelPublication>) {
    return this.control.cancel(publicationId);
  }
}
