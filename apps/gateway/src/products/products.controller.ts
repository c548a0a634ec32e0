import { Controller, Get, Headers, HttpCode, Logger, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  ChangeStock,
  GetProduct,
  ListProducts,
  ProductViewed,
  type ProductView,
  Sku,
  Text,
} from '#contracts';
import { MessagingClient, type ReplyOf } from '#messaging';
import { RequestClient } from '#requests';
import { Idempotent } from '../idempotency/idempotent.js';
import { CallIds, type NewIds } from '../idempotency/new-ids.js';
import { Problems } from '../problems/document-problems.js';
import { AnyCaseId, ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';
import { Tokens } from '../sessions/tokens.js';

const Listing = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: Sku.optional(),
  query: Text.max(200).optional(),
});

const StockChange = ChangeStock.schema.omit({ sku: true }).extend({ changeId: AnyCaseId.optional() });

@ApiTags('products')
@Controller('api/products')
@Access('anyone')
export class ProductsController {
  private readonly logger = new Logger(ProductsController.name);

  constructor(
    private readonly requests: RequestClient,
    private readonly messages: MessagingClient,
    private readonly tokens: Tokens,
  ) {}

  /** The catalog by SKU, a page at a time: `next` is the cursor of the next page. */
  @Get()
  list(@ZodQuery(Listing) query: z.output<typeof Listing>): Promise<ReplyOf<typeof ListProducts>> {
    return this.requests.ask(ListProducts, query, { repeatable: true });
  }

  /** One product. A signed-in shopper's view is published for the recommendations. */
  @Get(':sku')
  @Problems('product_not_found')
  async get(
    @ZodParam('sku', Sku) sku: string,
    @Headers('authorization') authorization?: string,
  ): Promise<ProductView> {
    const product = await this.requests.ask(GetProduct, { sku }, { repeatable: true });
    const viewer = this.tokens.readIfGood(authorization);
    if (viewer !== undefined) this.tellOfView(sku, viewer.userId);
    return product;
  }

  /** Changes by hand what is in stock, by a difference. Asked again with the same id, it has no second effect. */
  @Post(':sku/stock')
  @Problems('product_not_found', 'not_enough_stock', 'too_much_stock')
  @Idempotent('catalog')
  @HttpCode(200)
  @Access('operator')
  changeStock(
    @ZodParam('sku', Sku) sku: string,
    @ZodBody(StockChange) { changeId, ...change }: z.output<typeof StockChange>,
    @CallIds() ids: NewIds,
  ): Promise<ReplyOf<typeof ChangeStock>> {
    return this.requests.ask(
      ChangeStock,
      { ...change, sku, changeId: changeId ?? ids.next() },
      { repeatable: true },
    );
  }

  // Fire and forget: losing a view does no harm.
  private tellOfView(sku: string, buyerId: string): void {
    this.messages
      .emitEvent(ProductViewed, { buyerId, sku, viewedAt: new Date().toISOString() })
      .catch((error: unknown) => {
        this.logger.warn(`a product view was not published: ${String(error)}`);
      });
  }
}
