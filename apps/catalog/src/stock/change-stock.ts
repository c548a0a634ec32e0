import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type ChangeStock, MAX_STOCK } from '#contracts';
import { DomainError, type ReplyOf, type RequestOf } from '#messaging';
import { ProductNotFound } from '../browse/browse.js';
import { ProductNews } from '../news/product-news.js';

export class NotEnoughStock extends DomainError {
  readonly code = 'not_enough_stock';
  constructor(
    readonly sku: string,
    readonly wanted: number,
    readonly available: number,
  ) {
    super(`${sku}: ${wanted} cannot be taken away, ${available} are left`);
  }
}

export class TooMuchStock extends DomainError {
  readonly code = 'too_much_stock';
  constructor(readonly sku: string) {
    super(`${sku} would have more than ${MAX_STOCK} in stock`);
  }
}

const LOCK = `
SELECT initial::float8 AS initial, available::float8 AS available FROM stock WHERE sku = $1 FOR UPDATE`;

const NOTE = `
INSERT INTO stock_change (id, sku, by, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id`;

const CHANGE = 'UPDATE stock SET initial = initial + $2, available = available + $2 WHERE sku = $1';

/** Changes what is in stock by hand. */
@Injectable()
export class ChangeStockUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly news: ProductNews,
  ) {}

  /**
   * The same change asked again has no second effect.
   * @throws ProductNotFound, NotEnoughStock, TooMuchStock
   */
  async change({
    changeId,
    sku,
    by,
    reason,
  }: RequestOf<typeof ChangeStock>): Promise<ReplyOf<typeof ChangeStock>> {
    return this.database.transaction(async tx => {
      const [stock] = (await tx.query(LOCK, [sku])) as { initial: number; available: number }[];
      if (stock === undefined) throw new ProductNotFound(sku);
      const noted = (await tx.query(NOTE, [changeId, sku, by, reason])) as unknown[];
      if (noted.length === 0) return { sku, available: stock.available };
      if (stock.available + by < 0) throw new NotEnoughStock(sku, -by, stock.available);
      if (stock.initial + by > MAX_STOCK) throw new TooMuchStock(sku);
      await tx.query(CHANGE, [sku, by]);
      await this.news.note(tx, [sku]);
      return { sku, available: stock.available + by };
    });
  }
}
