import { z } from 'zod';
import { Id, Instant, Moment, Text } from '../message/values.js';

export const SubscriptionState = z.object({
  name: z.string(),
  topics: z.array(z.string()).readonly(),
  /** Messages still to settle. */
  lag: z.int(),
  /** When the oldest of them was appended. */
  oldestAt: Instant.nullable(),
  /** Messages appended since the subscription began, as the transport counts them. */
  appended: z.int(),
  handled: z.int(),
  /** Of a type that the subscription does not handle. */
  skipped: z.int(),
  /** Copies of a message that was handled before. */
  duplicate: z.int(),
  /** Waiting for a retry, or behind a message of their key that is. */
  parked: z.int(),
  /** Given up and not yet decided on. */
  dead: z.int(),
  /** Given up for good by an operator. */
  discarded: z.int(),
  /** Messages that the queue had and lost: removed unread, or gone with a queue that was replaced. */
  lost: z.int().default(0),
  /** Messages handled after a later one of their key, by the receipts that are kept; null when not asked for. */
  outOfOrder: z.int().nullable(),
  /** Who has paused it, when and why; null when it runs. */
  paused: z.object({ at: Instant, by: z.string(), reason: z.string() }).nullable(),
  /** Since when and why it makes no progress although nobody has paused it; null when it makes progress. */
  waiting: z.object({ since: Instant, reason: z.string() }).nullable().default(null),
  /** The instances that own its partitions. */
  owners: z.array(z.string()).readonly(),
});
export type SubscriptionState = z.output<typeof SubscriptionState>;

export const QueueState = z.object({
  subscriptions: z.array(SubscriptionState),
  /** Events committed and not yet sent. */
  outbox: z.int(),
  /** Timers that are due and not yet fired. */
  timersDue: z.int().default(0),
});
export type QueueState = z.output<typeof QueueState>;

export const DeadLetter = z.object({
  id: Id,
  subscription: z.string(),
  topic: z.string(),
  partition: z.int(),
  position: z.int(),
  key: z.string(),
  headers: z.record(z.string(), z.string()).readonly(),
  /** The trace that it belongs to (W3C Trace Context). */
  traceId: z.string().nullable().default(null),
  /** Base64. */
  payload: z.string(),
  appendedAt: Instant,
  /**
   * `invalid`: it does not fit its contract. `failed`: its handler failed at every attempt. `refused`: the queue does
   * not take it, so it was never sent; its subscription is the service's outbox.
   */
  reason: z.enum(['invalid', 'failed', 'refused']),
  /** The last attempts, each with its error and stack. */
  errors: z.array(z.object({ at: Instant, error: z.string() })),
  /** Whether its key waits until an operator decides. */
  holdsKey: z.boolean(),
  deadAt: Instant,
  status: z.enum(['dead', 'replayed', 'discarded']),
  decidedAt: Instant.nullable(),
  decidedBy: z.string().nullable(),
  note: z.string().nullable(),
});
export type DeadLetter = z.output<typeof DeadLetter>;

const Part = Text.min(1).max(512);

/** The criteria that letters are found by; all that are given must match. */
export const DeadLetterFilter = z
  .strictObject({
    subscription: Part,
    /** The event's type, such as `order.paid.v1`. */
    type: Part,
    /** The whole key; it may be empty. */
    key: Text.max(512),
    reason: DeadLetter.shape.reason,
    /** Part of an attempt's error, case-insensitive. */
    error: Part,
    /** Part of the payload. */
    contains: Part,
    traceId: z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits'),
    /** When it died: from and up to, inclusive. */
    since: Moment,
    until: Moment,
  })
  .partial();
export type DeadLetterFilter = z.output<typeof DeadLetterFilter>;

export const OperatorAction = z.object({
  at: Instant,
  by: z.string(),
  action: z.enum(['pause', 'resume', 'replay', 'discard']),
  subscription: z.string(),
  deadLetterId: Id.nullable(),
  note: z.string().nullable(),
});
export type OperatorAction = z.output<typeof OperatorAction>;

export const Alert = z.object({
  id: Id,
  /** The subscription, or the service's outbox. */
  subject: z.string(),
  kind: z.enum(['lag', 'age', 'parked', 'dead', 'waiting', 'outbox', 'lost']),
  /** The figure when the alert was raised: messages, or ms if it is a duration. */
  value: z.number(),
  threshold: z.number(),
  message: z.string(),
  raisedAt: Instant,
  clearedAt: Instant.nullable(),
});
export type Alert = z.output<typeof Alert>;
