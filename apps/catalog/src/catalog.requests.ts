import { Controller } from '@nestjs/common';
import {
  ChangeStock,
  ClosePublication,
  GetProduct,
  GetPublication,
  ListProducts,
  OpenPublication,
  StageChunk,
} from '#contracts';
import { type RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { Browse } from './browse/browse.js';
import { Publications } from './publish/publications.js';
import { ChangeStockUseCase } from './stock/change-stock.js';

/** The queries and commands that the catalog answers. */
@Controller()
export class CatalogRequests {
  constructor(
    private readonly browse: Browse,
    private readonly publications: Publications,
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
    return this.publications.get(publicationId);
  }
}
