import type { OrderPaid } from '#contracts';

/** Maximum number of different items of an order to pair: the number of pairs grows with its square. */
const MAX_PAIRED = 20;

export interface Pair {
  readonly sku: string;
  readonly other: string;
  readonly times: number;
}

/** How often two items were bought together, in both directions. Pure. */
export function pairsOf(orders: readonly OrderPaid[]): Pair[] {
  const times = new Map<string, Pair>();
  for (const { items } of orders) {
    const skus = [...new Set(items.map(item => item.sku))].slice(0, MAX_PAIRED);
    for (const sku of skus) {
      for (const other of skus) {
        if (sku === other) continue;
        const key = `${sku} ${other}`;
        times.set(key, { sku, other, times: (times.get(key)?.times ?? 0) + 1 });
      }
    }
  }
  return [...times.values()];
}
