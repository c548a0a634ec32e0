import { describe, expect, it } from '@jest/globals';
import { Currency, formatMoney, toMinor } from './money.js';

describe('money', () => {
  it.each([
    [1_250, 'GBP', '12.50 GBP'],
    [5, 'GBP', '0.05 GBP'],
    [0, 'USD', '0.00 USD'],
    [3_000, 'JPY', '3000 JPY'],
    [1_500, 'BHD', '1.500 BHD'],
    [-1_250, 'EUR', '-12.50 EUR'],
    [Number.MAX_SAFE_INTEGER, 'GBP', '90071992547409.91 GBP'],
  ])('is shown with the digits of its currency: %d %s', (minor, currency, shown) => {
    expect(formatMoney(minor, currency)).toBe(shown);
  });

  it.each([
    ['12.5', 'GBP', 1_250],
    ['1.005', 'GBP', 101],
    ['1.0049', 'GBP', 100],
    ['3000', 'JPY', 3_000],
    ['3000.5', 'JPY', 3_001],
    ['1.5', 'BHD', 1_500],
    ['-0.29', 'GBP', -29],
    ['4.35', 'GBP', 435],
  ])('is read exactly: %s %s', (amount, currency, minor) => {
    expect(toMinor(amount, currency)).toBe(minor);
  });

  it.each(['', '1,50', '1e3', '0x10', '1.', '.5', ' 1', '1 000', 'NaN'])('is not read from "%s"', amount => {
    expect(toMinor(amount, 'GBP')).toBeUndefined();
  });

  it('has a currency that exists', () => {
    expect(Currency.safeParse('GBP').success).toBe(true);
    for (const code of ['ABC', 'gbp', 'GB', 'XXX']) expect(Currency.safeParse(code).success).toBe(false);
    for (const code of Intl.supportedValuesOf('currency')) {
      const { success } = Currency.safeParse(code);
      const { maximumFractionDigits } = new Intl.NumberFormat('en', {
        style: 'currency',
        currency: code,
      }).resolvedOptions();
      // Where both know a currency, they agree; ICU counts the digits that are used in cash for some.
      if (success && !code.startsWith('X')) expect([0, 2, 3, 4]).toContain(maximumFractionDigits);
    }
  });
});
