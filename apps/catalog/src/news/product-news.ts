import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { MAX_CHANGED_PRODUCTS, ProductsChanged } from '#contracts';
import { Outbox, PacedTask } from '#messaging';

/** The least time between two events, in ms: however many orders a product has, it is told of four times a second. */
const EVERY_MS = 250;
/** How often to look for changes whose process died before it told of them, in ms. */
const LOOK_MS = 30_000;

/**
 * Updates a row that is there already: the lock on it keeps the teller from taking it before this transaction commits, as
 * its event would then come too early.
 */
const NOTE = `
INSERT INTO product_news (sku) SELECT DISTINCT unnest($1::text[]) AS sku ORDER BY sku
ON CONFLICT (sku) DO UPDATE SET sku = excluded.sku`;

/** The same for products that buyers can see: nobody has a copy of one that is not on sale yet. */
const NOTE_ON_SALE = `
INSERT INTO product_news (sku) SELECT DISTINCT s.sku FROM stock s WHERE s.sku = ANY($1::text[]) ORDER BY 1
ON CONFLICT (sku) DO UPDATE SET sku = excluded.sku`;

const TAKE = `
DELETE FROM product_news WHERE sku IN (
  SELECT sku FROM product_news ORDER BY sku LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING sku`;

/**
 * Tells everyone whose copy of a product may be stale which products have changed. A change is noted in its own
 * transaction, and told after that: changes of the same quarter of a second are told together, and those of one product
 * are told once. Any number of instances may tell.
 */
@Injectable()
export class ProductNews implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ProductNews.name);
  private readonly task = new PacedTask(() => this.tell(), {
    everyMs: EVERY_MS,
    lookMs: LOOK_MS,
    onError: error => this.logger.warn(`changed products are told of later: ${String(error)}`),
  });

  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** The transaction changes what buyers see of these products: price, title, pictures, page or available stock. */
  async note(tx: EntityManager, skus: readonly string[]): Promise<void> {
    await this.noteBy(NOTE, tx, skus);
  }

  /** The same; products that are not on sale yet are left out. */
  async noteOnSale(tx: EntityManager, skus: readonly string[]): Promise<void> {
    await this.noteBy(NOTE_ON_SALE, tx, skus);
  }

  private async noteBy(statement: string, tx: EntityManager, skus: readonly string[]): Promise<void> {
    if (skus.length === 0) return;
    await tx.query(statement, [skus]);
    this.task.callAfter(tx);
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.task.stop();
  }

  /** @returns whether there may be more */
  private async tell(): Promise<boolean> {
    return this.database.transaction(async tx => {
      const [taken] = (await tx.query(TAKE, [MAX_CHANGED_PRODUCTS])) as [{ sku: string }[]];
      if (taken.length === 0) return false;
      await this.outbox.publish(tx, ProductsChanged, { skus: taken.map(({ sku }) => sku) });
      return true;
    });
  }
}
