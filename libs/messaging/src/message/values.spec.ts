import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { Id, Instant, Moment, Text } from './values.js';

const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

describe('what a contract accepts, every store can hold', () => {
  it.each([
    [Instant, '0001-01-01T00:00:00Z'],
    [Instant, '9999-12-31T23:59:59.999999Z'],
    [Instant, '2026-11-24T22:00:00Z'],
    [Moment, '2026-11-24T22:00:00+15:59'],
    [Moment, '2026-11-24T22:00:00.123456-05:30'],
    [Text, ''],
    [Text, 'naïve 👍 \u2028'],
    [Id, '0190f0c4-1111-7aaa-8bbb-0123456789ab'],
  ])('%#: %s', (schema, value) => {
    expect(accepts(schema, value)).toBe(true);
  });

  it.each([
    [Instant, '9999-12-31T23:59:59.9999999Z'],
    [Instant, '0000-01-01T00:00:00Z'],
    [Instant, `2026-01-01T00:00:00.${'1'.repeat(200)}Z`],
    [Instant, '2026-02-30T00:00:00Z'],
    [Instant, '2026-11-24T22:00:00+01:00'],
    [Instant, '2026-11-24'],
    [Moment, '2026-11-24T22:00:00+16:00'],
    [Moment, '2026-11-24T22:00:00-23:59'],
    [Moment, '0000-06-01T00:00:00Z'],
    [Moment, '0001-01-01T00:00:00+10:00'],
    [Moment, '9999-12-31T23:00:00-10:00'],
    [Moment, `2026-01-01T00:00:00.${'1'.repeat(200)}Z`],
    [Text, 'a\0b'],
    [Text, '\ud800'],
    [Text, 'x\udc00'],
    [Id, '0190F0C4-1111-7AAA-8BBB-0123456789AB'],
  ])('and refuses the rest, %#: %j', (schema, value) => {
    expect(accepts(schema, value)).toBe(false);
  });
});
