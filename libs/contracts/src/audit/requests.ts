import { z } from 'zod';
import { defineRequest } from '#messaging/message';

/**
 * A set of ids, told so that two services can compare theirs without sending them: how many there are, how
 * many different ones, and the sum of their hashes. Equal in all three means the same set.
 */
export const IdSet = z.object({ count: z.int(), distinct: z.int(), checksum: z.string() });
export type IdSet = z.output<typeof IdSet>;

export const SubscriptionFacts = z.object({
  name: z.string(),
  topics: z.array(z.string()).readonly(),
  lag: z.int(),
  oldestAt: z.string().nullable(),
  appended: z.int(),
  handled: z.int(),
  skipped: z.int(),
  duplicate: z.int(),
  outOfOrder: z.int(),
  dead: z.int(),
  owners: z.array(z.string()).readonly(),
});
export type SubscriptionFacts = z.output<typeof SubscriptionFacts>;

/** What a service knows for the audit: sets to compare, and numbers that must be zero or stand for themselves. */
const Facts = z.object({
  sets: z.record(z.string(), IdSet),
  figures: z.record(z.string(), z.number()),
  subscriptions: z.array(SubscriptionFacts),
  outbox: z.int(),
});
export type Facts = z.output<typeof Facts>;

const DeadLetterView = z.object({
  id: z.uuid(),
  subscription: z.string(),
  topic: z.string(),
  partition: z.int(),
  position: z.int(),
  key: z.string(),
  headers: z.record(z.string(), z.string()).readonly(),
  payload: z.string(),
  reason: z.string(),
  error: z.string(),
  deadAt: z.string(),
});

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

export const listDeadLetters = (service: Audited) =>
  defineRequest({
    type: `${service}.list-dead-letters.v1`,
    schema: z.object({ limit: z.int().min(1).max(500) }),
    reply: z.object({ deadLetters: z.array(DeadLetterView) }),
  });
