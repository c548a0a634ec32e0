import { z } from 'zod';
import { defineRequest } from '#messaging/message';

/**
 * A set of ids, told so that two services can compare theirs without sending them: how many there are, how
 * many different ones, and the sum of their hashes. Equal in all three means the same set.
 */
export const IdSet = z.object({ count: z.int(), distinct: z.int(), checksum: z.string() });
export type IdSet = z.output<typeof IdSet>;

/** What a service knows for the audit: sets to compare, and numbers that must be zero or stand for themselves. */
const Facts = z.object({
  sets: z.record(z.string(), IdSet),
  figures: z.record(z.string(), z.number()),
});
export type Facts = z.output<typeof Facts>;

/** The services that keep books. */
export const AUDITED = [
  'catalog',
  'seckill',
  'order',
  'points',
  'notification',
  'merchant-notifier',
  'recommendation',
  'statistics',
] as const;
export type Audited = (typeof AUDITED)[number];

const empty = z.object({});

export const getFacts = (service: Audited) =>
  defineRequest({ type: `${service}.get-facts.v1`, schema: empty, reply: Facts });
