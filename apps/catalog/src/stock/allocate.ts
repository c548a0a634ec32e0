import type { OrderPlaced, StockRejected, StockReserved } from '#contracts';

export interface StockedProduct {
  readonly sku: string;
  readonly available: number;
  readonly priceMinor: number;
  readonly currency: string;
}

export interface Allocation {
  readonly reserved: readonly StockReserved[];
  readonly rejected: readonly StockRejected[];
  /** The quantity taken from `available`, by SKU. */
  readonly taken: ReadonlyMap<string, number>;
}

/** Allocates stock to orders in arrival order. Each order gets all its items or none. Pure. */
export function allocate(orders: readonly OrderPlaced[], products: readonly StockedProduct[]): Allocation {
  const bySku = new Map(products.map(product => [product.sku, product]));
  const taken = new Map<string, number>();
  const reserved: StockReserved[] = [];
  const rejected: StockRejected[] = [];
  for (const { orderId, items } of orders) {
    const unknown = items.find(item => !bySku.has(item.sku));
    const short = items.find(
      ({ sku, quantity }) => quantity > (bySku.get(sku)?.available ?? 0) - (taken.get(sku) ?? 0),
    );
    if (unknown !== undefined) {
      rejected.push({ orderId, sku: unknown.sku, reason: 'unknown_sku' });
      continue;
    }
    if (short !== undefined) {
      rejected.push({ orderId, sku: short.sku, reason: 'out_of_stock' });
      continue;
    }
    const [first] = items;
    const { currency } = bySku.get(first!.sku)!;
    const stranger = items.find(item => bySku.get(item.sku)!.currency !== currency);
    const totalMinor = items.reduce(
      (sum, { sku, quantity }) => sum + quantity * bySku.get(sku)!.priceMinor,
      0,
    );
    if (stranger !== undefined || !Number.isSafeInteger(totalMinor)) {
      rejected.push({ orderId, sku: (stranger ?? first)!.sku, reason: 'not_priceable' });
      continue;
    }
    for (const { sku, quantity } of items) taken.set(sku, (taken.get(sku) ?? 0) + quantity);
    const priced = items.map(item => ({ ...item, unitPriceMinor: bySku.get(item.sku)!.priceMinor }));
    reserved.push({ orderId, items: priced, totalMinor, currency });
  }
  return { reserved, rejected, taken };
}
