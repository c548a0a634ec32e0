import { Inject, Injectable, Optional } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { GetProduct, type ProductView } from '#contracts';
import { RequestClient } from '#requests';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { HotItems } from './hot-items.js';

/** Where an answer came from. */
export type Served =
  /** From memory, as it was read this long ago, in ms. */
  | { readonly from: 'memory'; readonly ageMs: number; readonly leftMs: number }
  /** From the catalog: asked now, with others who asked at the same time, or past the cache as the product is not hot. */
  | { readonly from: 'catalog' | 'catalog-with-others' | 'catalog-uncached' };

interface Fetch {
  readonly startedAt: number;
  readonly product: Promise<ProductView>;
}

interface Entry {
  readonly product: ProductView;
  /** Before the catalog was asked, by `performance.now()`: it is not older than this. */
  readonly readAt: number;
}

/**
 * Copies of the hot products, in this process. A copy is dropped when the catalog tells of a change, and is never served
 * when it was read longer ago than GATEWAY_HOT_AGE_MS: so long at most is an answer behind, whatever news is lost. The
 * list of what is hot bounds how many copies there are. Nothing is decided by a copy: stock and price are checked where
 * they are kept.
 */
@Injectable()
export class ProductCache {
  private readonly entries = new Map<string, Entry>();
  private readonly fetches = new Map<string, Fetch>();
  private readonly asked: Counter;
  private readonly dropped: Counter;

  constructor(
    private readonly hot: HotItems,
    private readonly requests: RequestClient,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
    @Optional() registry?: Registry,
  ) {
    const registers = registry === undefined ? [] : [registry];
    this.asked = new Counter({
      name: 'sluice_product_cache_requests_total',
      help: 'Requests for one product, by where the answer came from.',
      labelNames: ['from'],
      registers,
    });
    this.dropped = new Counter({
      name: 'sluice_product_cache_dropped_total',
      help: 'Copies of products that were dropped because the product has changed.',
      registers,
    });
  }

  /** How many copies there are. */
  get size(): number {
    return this.entries.size;
  }

  /** @throws RequestRefused, ServiceUnavailable as the catalog's answer */
  async get(sku: string, now = performance.now()): Promise<{ product: ProductView; served: Served }> {
    const { product, served } = this.find(sku, now);
    this.asked.inc({ from: served.from });
    return { product: await product, served };
  }

  /** These products have changed. An answer that is on its way may be from before, so it is not kept. */
  drop(skus: readonly string[]): void {
    for (const sku of skus) {
      if (this.entries.delete(sku)) this.dropped.inc();
      this.fetches.delete(sku);
    }
  }

  /** Forgets what is not hot any more. */
  forgetCooled(): void {
    for (const sku of this.entries.keys()) if (!this.hot.has(sku)) this.entries.delete(sku);
  }

  private find(sku: string, now: number): { product: ProductView | Promise<ProductView>; served: Served } {
    if (!this.hot.has(sku)) return { product: this.ask(sku), served: { from: 'catalog-uncached' } };
    const entry = this.entries.get(sku);
    if (entry !== undefined) {
      const ageMs = now - entry.readAt;
      const leftMs = this.config.GATEWAY_HOT_AGE_MS - ageMs;
      if (leftMs > 0) return { product: entry.product, served: { from: 'memory', ageMs, leftMs } };
    }
    const fetch = this.fetches.get(sku);
    if (fetch !== undefined && now - fetch.startedAt < this.config.GATEWAY_HOT_AGE_MS)
      return { product: fetch.product, served: { from: 'catalog-with-others' } };
    return { product: this.fetch(sku, now), served: { from: 'catalog' } };
  }

  private async fetch(sku: string, startedAt: number): Promise<ProductView> {
    const fetch = { startedAt, product: this.ask(sku) };
    this.fetches.set(sku, fetch);
    // Whether the product has changed since, or somebody has asked for it again: then this answer may be an old one.
    const isLatest = () => this.fetches.get(sku) === fetch;
    try {
      const product = await fetch.product;
      if (isLatest() && this.hot.has(sku)) this.entries.set(sku, { product, readAt: startedAt });
      return product;
    } finally {
      if (isLatest()) this.fetches.delete(sku);
    }
  }

  private ask(sku: string): Promise<ProductView> {
    return this.requests.ask(GetProduct, { sku }, { repeatable: true });
  }
}
