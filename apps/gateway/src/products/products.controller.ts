import { Controller, Get, Headers, HttpCode, Logger, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ChangeStock, ListProducts, ProductViewed, type ProductView, Sku, Text } from '#contracts';
import { MessagingClient, type ReplyOf } from '#messaging';
import { RequestClient } from '#requests';
import { Idempotent } from '../idempotency/idempotent.js';
import { CallIds, type NewIds } from '../idempotency/new-ids.js';
import { Problems } from '../problems/document-problems.js';
import { AnyCaseId, ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';
import { Tokens } from '../sessions/tokens.js';
import { ProductCache, type Served } from './product-cache.js';

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
    private readonly cache: ProductCache,
    private readonly messages: MessagingClient,
    private readonly tokens: Tokens,
  ) {}

  /** The catalog by SKU, a page at a time: `next` is the cursor of the next page. */
  @Get()
  list(@ZodQuery(Listing) query: z.output<typeof Listing>): Promise<ReplyOf<typeof ListProducts>> {
    return this.requests.ask(ListProducts, query, { repeatable: true });
  }

  /**
   * One product. A signed-in shopper's view is published for the recommendations. A hot product may come from the memory
   * of the gateway: the header Cache-Status (RFC 9211) says so, and Age how old it is, at most.
   */
  @Get(':sku')
  @Problems('product_not_found')
  async get(
    @ZodParam('sku', Sku) sku: string,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('authorization') authorization?: string,
  ): Promise<ProductView> {
    const { product, served } = await this.cache.get(sku);
    void reply.headers(headersOf(served));
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
  async changeStock(
    @ZodParam('sku', Sku) sku: string,
    @ZodBody(StockChange) { changeId, ...change }: z.output<typeof StockChange>,
    @CallIds() ids: NewIds,
  ): Promise<ReplyOf<typeof ChangeStock>> {
    const changed = await this.requests.ask(
      ChangeStock,
      { ...change, sku, changeId: changeId ?? ids.next() },
      { repeatable: true },
    );
    // Whoever has changed it sees that at once.
    this.cache.drop([sku]);
    return changed;
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

/** What the headers Cache-Status (RFC 9211) and Age say. */
function headersOf(served: Served): Record<string, string> {
  switch (served.from) {
    case 'memory': {
      const [age, left] = [served.ageMs, served.leftMs].map(ms => Math.ceil(ms / 1_000));
      return { 'cache-status': `sluice; hit; ttl=${left}`, age: String(age) };
    }
    case 'catalog':
      return { 'cache-status': 'sluice; fwd=miss' };
    case 'catalog-with-others':
      return { 'cache-status': 'sluice; fwd=miss; collapsed' };
    case 'catalog-uncached':
      return { 'cache-status': 'sluice; fwd=bypass' };
  }
}
