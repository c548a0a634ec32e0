/** Stock codes that are not goods: postage, fees, corrections, samples, tests. */
const NO_GOODS: readonly [RegExp, string][] = [
  [/^(POST|DOT|C2|C3)$/i, 'postage or carriage'],
  [/^(BANK CHARGES|AMAZONFEE|CRUK)$/i, 'a fee or a commission'],
  [/^(D|M|B|ADJUST\d*|GIFT)$/i, 'a discount, a correction or a manual entry'],
  [/^(S|SP\d+)$/i, 'a sample'],
  [/^TEST/i, 'a test'],
];

/** Why a line is not a sale of goods at a price; undefined when it is one. */
export function rejection({
  code,
  priceMinor,
}: {
  readonly code: string;
  readonly priceMinor: number;
}): string | undefined {
  const kind = NO_GOODS.find(([pattern]) => pattern.test(code));
  if (kind !== undefined) return `not goods: ${kind[1]}`;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(code)) return 'the stock code has characters that a SKU may not have';
  if (priceMinor <= 0) return 'no positive price';
  return undefined;
}
