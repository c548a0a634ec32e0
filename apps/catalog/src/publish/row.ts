import { z } from 'zod';
import { Currency, MAX_PRICE_MINOR, MAX_STOCK, type PublicationRow, Text } from '#contracts';

const NOT_WHOLE = 'is not a whole number; write digits only, such as 1250';

/** Digits, or a whole number of JSON. No sign, point, separator, exponent or leading zero: nothing is guessed. */
const whole = (min: number, max: number) =>
  z
    .union(
      [
        z.int(),
        z
          .string()
          .regex(/^(0|[1-9]\d{0,14})$/)
          .transform(Number),
      ],
      {
        error: ({ input }) => (input === undefined ? 'is missing' : input === '' ? 'is empty' : NOT_WHOLE),
      },
    )
    .pipe(z.int().min(min, 'is too low').max(max, 'is too high'));

const isMissing = ({ input }: { input?: unknown }) => (input === undefined ? 'is missing' : 'is not a text');

/** A line of a publication. */
const Row = z.object({
  code: z.string({ error: isMissing }).regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not 1 to 64 of A–Z a–z 0–9 _ -'),
  title: z
    .string({ error: isMissing })
    .trim()
    .min(1, 'is empty')
    .max(300, 'is longer than 300 characters')
    .pipe(Text),
  priceMinor: whole(1, MAX_PRICE_MINOR),
  currency: Currency,
  stock: whole(0, MAX_STOCK),
});
export type Row = z.output<typeof Row> & { readonly line: number };

export interface Rejection {
  readonly line: number;
  readonly reason: string;
}

export type Judged = { readonly row: Row } | Rejection;

/** Reads a line, or says what is wrong with it. */
export function judge({ line, values, problem }: PublicationRow): Judged {
  if (problem !== undefined) return { line, reason: problem };
  const parsed = Row.safeParse(values);
  if (parsed.success) return { row: { ...parsed.data, line } };
  return {
    line,
    reason: parsed.error.issues
      .map(issue => `${issue.path.join('.') || 'the line'} ${issue.message}`)
      .join('; '),
  };
}
