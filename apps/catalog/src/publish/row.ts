import { z } from 'zod';
import { Currency, MAX_PRICE_MINOR, type PublicationRow } from '#contracts';

/** A line of a publication. CSV values are text; NDJSON values may be numbers. */
const Row = z.object({
  code: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is 1 to 64 of A–Z a–z 0–9 _ -'),
  title: z.string().trim().min(1, 'is empty').max(300, 'is longer than 300 characters'),
  priceMinor: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .positive('is not above zero')
    .max(MAX_PRICE_MINOR, 'is too high'),
  currency: Currency,
  stock: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .nonnegative('is below zero')
    .max(1e9, 'is too high'),
});
export type Row = z.output<typeof Row> & { readonly line: number };

export type Judged = { readonly row: Row } | { readonly line: number; readonly reason: string };

/** Reads a line, or says what is wrong with it. */
export function judge({ line, values }: PublicationRow): Judged {
  const problem = values['problem'];
  if (typeof problem === 'string') return { line, reason: problem };
  const parsed = Row.safeParse(values);
  if (parsed.success) return { row: { ...parsed.data, line } };
  return {
    line,
    reason: parsed.error.issues
      .map(issue => `${issue.path.join('.') || 'the line'} ${issue.message}`)
      .join('; '),
  };
}
