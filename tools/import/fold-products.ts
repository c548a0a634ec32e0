import type { ProductLine } from '../retail/read-products.js';

export interface Product {
  readonly code: string;
  readonly title: string;
  readonly priceMinor: number;
}

/** How often a stock code's titles and prices were used. This grows only with the catalog. */
interface Seen {
  readonly titles: Map<string, number>;
  readonly prices: Map<number, number>;
}

/** Folds sales into products: one per stock code, with its most used title and its median price. */
export class ProductFold {
  private readonly seen = new Map<string, Seen>();

  add({ code, title, priceMinor }: Omit<ProductLine, 'line'>): void {
    let seen = this.seen.get(code);
    if (seen === undefined) this.seen.set(code, (seen = { titles: new Map(), prices: new Map() }));
    if (title !== '') count(seen.titles, title.replaceAll(/\s+/g, ' '));
    count(seen.prices, priceMinor);
  }

  *products(): Generator<Product> {
    for (const code of [...this.seen.keys()].sort()) {
      const { titles, prices } = this.seen.get(code)!;
      yield { code, title: mostUsed(titles) ?? code, priceMinor: median(prices) };
    }
  }
}

function count<T>(counts: Map<T, number>, value: T): void {
  counts.set(value, (counts.get(value) ?? 0) + 1);
}

/** On a tie, the first in the alphabet, so that the same file always gives the same products. */
function mostUsed(counts: ReadonlyMap<string, number>): string | undefined {
  const [best] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return best?.[0];
}

/** The lower of the two middle prices if there are two, so that it is a price that was really asked. */
function median(counts: ReadonlyMap<number, number>): number {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const half = sorted.reduce((total, [, times]) => total + times, 0) / 2;
  let passed = 0;
  for (const [price, times] of sorted) {
    passed += times;
    if (passed >= half) return price;
  }
  throw new Error('a product without a price');
}
