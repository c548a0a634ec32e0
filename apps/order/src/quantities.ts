/** How many of each SKU: two lines of one SKU are one demand for it. */
export function quantitiesBySku(items: readonly { sku: string; quantity: number }[]): Map<string, number> {
  const bySku = new Map<string, number>();
  for (const { sku, quantity } of items) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity);
  return bySku;
}
