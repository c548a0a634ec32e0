import { z } from 'zod';
import { Currency, MAX_PRICE_MINOR, MAX_STOCK, type PublicationRow, Text } from '#contracts';

const NOT_WHOLE = 'is not a whole number; write digits only, such as 1250';

/** Digits, or a whole number of JSON. No sign, point, separator, exponent or leading zero: nothing is guessed. */
const DIGITS = [
  z.int(),
  z
    .string()
    .regex(/^(0|[1-9]\d{0,14})$/)
    .transform(Number),
] as const;

const whole = (min: number, max: number) =>
  z
    .union(DIGITS, {
      error: ({ input }) => (input === undefined ? 'is missing' : input === '' ? 'is empty' : NOT_WHOLE),
    })
    .pipe(z.int().min(min, 'is too low').max(max, 'is too high'));

/** Null where the cell is empty. */
const wholeOrEmpty = (min: number, max: number) =>
  z
    .union([z.literal('').transform(() => null), ...DIGITS], { error: NOT_WHOLE })
    .pipe(z.int().min(min, 'is too low').max(max, 'is too high').nullable());

const isMissing = ({ input }: { input?: unknown }) => (input === undefined ? 'is missing' : 'is not a text');

/** Most pictures of one product. */
const MOST_PICTURES = 10;

/** Addresses, separated by white space or "|", as a browser writes them. */
const Pictures = z.string({ error: isMissing }).transform((cell, context) => {
  const addresses = cell.split(/[\s|]+/).filter(Boolean);
  if (addresses.length > MOST_PICTURES) context.addIssue(`has more than ${MOST_PICTURES} addresses`);
  return addresses.map(address => {
    const url = URL.parse(address);
    const isPublic = url !== null && /^https?:$/.test(url.protocol) && url.username === '';
    if (!isPublic)
      context.addIssue(`has "${address.slice(0, 100)}", which is not an address such as https://…`);
    return url?.href ?? '';
  });
});

/** A line of a publication. An optional column that is left out leaves what is there; an empty cell removes it. */
const Row = z
  .object({
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
    pictures: Pictures.optional(),
    description: z.string({ error: isMissing }).trim().pipe(Text).optional(),
    promoPriceMinor: wholeOrEmpty(1, MAX_PRICE_MINOR).optional(),
  })
  .refine(({ priceMinor, promoPriceMinor }) => promoPriceMinor == null || promoPriceMinor < priceMinor, {
    path: ['promoPriceMinor'],
    error: 'is not below priceMinor',
  });
export type Row = z.output<typeof Row> & { readonly line: number };

export interface Rejection {
  readonly line: number;
  readonly code: string | null;
  readonly reason: string;
}

export type Judged = { readonly row: Row } | Rejection;

/** The longest code that is kept with a rejection. */
const LONGEST_CODE = 64;

/** Reads a line, or says what is wrong with it. */
export function judge({ line, values, problem }: PublicationRow): Judged {
  const code = values.code === undefined ? null : String(values.code).slice(0, LONGEST_CODE).toWellFormed();
  if (problem !== undefined) return { line, code, reason: problem };
  const parsed = Row.safeParse(values);
  if (parsed.success) return { row: { ...parsed.data, line } };
  return {
    line,
    code,
    reason: parsed.error.issues
      .map(issue => `${issue.path.join('.') || 'the line'} ${issue.message}`)
      .join('; '),
  };
}
