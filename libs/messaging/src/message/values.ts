import { z } from 'zod';

/**
 * What PostgreSQL, JSON and UTF-8 can all hold, defined once: whatever a contract accepts can be stored, and what was
 * stored fits the contract of the reply.
 */

/** Text without a NUL character and without half of a surrogate pair. */
export const Text = z
  .string()
  .refine(
    text => text.isWellFormed() && !text.includes('\0'),
    'has a NUL character or half of a surrogate pair in it',
  );

/** A UUID as PostgreSQL writes it: an id is also a key of messages and of maps, so it has one spelling. */
export const Id = z.uuid().regex(/^[^A-Z]*$/, 'is not in lower case');

/** A time in UTC, in the years 1 to 9999, to the microsecond at most: nothing that stores it has to round. */
export const Instant = z.iso
  .datetime({ error: 'is not a UTC time; write it as 2026-11-24T22:00:00Z' })
  .regex(/^(?!0000)[^.]*(\.\d{1,6})?Z$/, 'is in year 0, or finer than a microsecond');

/** The same with any offset that PostgreSQL accepts, for what people type. */
export const Moment = z.iso
  .datetime({ offset: true, error: 'is not a valid time; write it as 2026-11-24T22:00:00Z' })
  .regex(
    /^(?!0000)[^.]*(\.\d{1,6})?(Z|[+-](0\d|1[0-5]):\d\d)$/,
    'is in year 0, finer than a microsecond, or 16 hours or more from UTC',
  )
  .refine(moment => {
    const year = new Date(moment).getUTCFullYear();
    return year >= 1 && year <= 9_999;
  }, 'is before year 1 or after year 9999 in UTC');
