import { z } from 'zod';
import { defineRequest } from '../message/define-request.js';

export const SubscriptionState = z.object({
  name: z.string(),
  topics: z.array(z.string()).readonly(),
  /** Messages still to settle. */
  lag: z.int(),
  /** When the oldest of them was appended. */
  oldestAt: z.string().nullable(),
  /** Messages appended since the subscription began, as the transport counts them. */
  appended: z.int(),
  handled: z.int(),
  /** Of a type that the subscription does not handle. */
  skipped: z.int(),
  /** Copies of a message that was handled before. */
  duplicate: z.int(),
  /** Waiting to be tried again, or behind one of their key that is. */
  parked: z.int(),
  /** Given up and not decided on. */
  dead: z.int(),
  /** Given up for good by an operator. */
  discarded: z.int(),
  /** Messages handled after a later one of their key, by the receipts that are kept; null when not asked for. */
  outOfOrder: z.int().nullable(),
  /** Who has paused it, when and why; null when it runs. */
  paused: z.object({ at: z.string(), by: z.string(), reason: z.string() }).nullable(),
  /** Since when and why it does not come forward although nobody has paused it; null when it does. */
  waiting: z.object({ since: z.string(), reason: z.string() }).nullable().default(null),
  /** The instances that have its partitions. */
  owners: z.array(z.string()).readonly(),
});
export type SubscriptionState = z.output<typeof SubscriptionState>;

export const QueueState = z.object({
  subscriptions: z.array(SubscriptionState),
  /** Events committed and not yet sent. */
  outbox: z.int(),
});
export type QueueState = z.output<typeof QueueState>;

export const DeadLetter = z.object({
  id: z.uuid(),
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
  appendedAt: z.string(),
  /** `invalid`: it does not fit its contract. `failed`: its handler failed at every attempt. */
  reason: z.enum(['invalid', 'failed']),
  /** The last attempts, each with its error and stack. */
  errors: z.array(z.object({ at: z.string(), error: z.string() })),
  /** Whether its key waits until an operator decides. */
  holdsKey: z.boolean(),
  deadAt: z.string(),
  status: z.enum(['dead', 'replayed', 'discarded']),
  decidedAt: z.string().nullable(),
  decidedBy: z.string().nullable(),
  note: z.string().nullable(),
});
export type DeadLetter = z.output<typeof DeadLetter>;

/** Of years that PostgreSQL has. */
const Moment = z.iso
  .datetime({ offset: true, error: 'is no time; write it as 2026-11-24T22:00:00Z' })
  .regex(/^(?!0000)/, 'is in a year that never was');
const NUL_FREE = [/^[^\0]*$/, 'has a NUL character in it'] as const;
const Part = z
  .string()
  .min(1)
  .max(512)
  .regex(...NUL_FREE);

/** What letters are looked for by; all that is named must fit. */
export const DeadLetterFilter = z
  .strictObject({
    subscription: Part,
    /** The event's type, such as `order.paid.v1`. */
    type: Part,
    /** The whole of it; it may be empty. */
    key: z
      .string()
      .max(512)
      .regex(...NUL_FREE),
    reason: DeadLetter.shape.reason,
    /** Part of an attempt's error, in any case. */
    error: Part,
    /** Part of the payload. */
    contains: Part,
    traceId: z.string().regex(/^[0-9a-f]{32}$/, 'is 32 hexadecimal digits'),
    /** When it died, from and up to. */
    since: Moment,
    until: Moment,
  })
  .partial();
export type DeadLetterFilter = z.output<typeof DeadLetterFilter>;

export const OperatorAction = z.object({
  at: z.string(),
  by: z.string(),
  action: z.enum(['pause', 'resume', 'replay', 'discard']),
  subscription: z.string(),
  deadLetterId: z.uuid().nullable(),
  note: z.string().nullable(),
});
export type OperatorAction = z.output<typeof OperatorAction>;

export const Alert = z.object({
  id: z.uuid(),
  /** The subscription, or the service's outbox. */
  subject: z.string(),
  kind: z.enum(['lag', 'age', 'parked', 'dead', 'waiting', 'outbox']),
  /** When it was raised. Messages, or ms where it is an age. */
  value: z.number(),
  threshold: z.number(),
  message: z.string(),
  raisedAt: z.string(),
  clearedAt: z.string().nullable(),
});
export type Alert = z.output<typeof Alert>;

/** What a service's queues look like now. Every service with a database answers it. */
export const getQueueState = (service: string) =>
  defineRequest({
    type: `${service}.get-queue-state.v1`,
    /** `order` asks every receipt whether it came in its turn, which takes seconds where there are millions. */
    schema: z.object({ order: z.boolean() }),
    reply: QueueState,
  });

/** A service's dead letters, the newest first. */
export const listDeadLetters = (service: string) =>
  defineRequest({
    type: `${service}.list-dead-letters.v1`,
    schema: z.object({
      limit: z.int().min(1).max(500),
      status: DeadLetter.shape.status,
      filter: DeadLetterFilter.default({}),
      /** Only those older than this one. */
      after: z.object({ deadAt: Moment, id: z.uuid() }).optional(),
    }),
    reply: z.object({ deadLetters: z.array(DeadLetter) }),
  });

/** One letter, whatever became of it; null when the service has none of that id. */
export const getDeadLetter = (service: string) =>
  defineRequest({
    type: `${service}.get-dead-letter.v1`,
    schema: z.object({ id: z.uuid() }),
    reply: z.object({ deadLetter: DeadLetter.nullable() }),
  });

const OfMany = z.object({
  by: z.string().min(1),
  filter: DeadLetterFilter,
  /** How many of those that are found are passed over: they could not be decided on. */
  passOver: z.int().nonnegative(),
  /** Letters that died later are let be; now, by the service's database, where left out. */
  diedBefore: z.iso.datetime().optional(),
  /** Most letters in one call. */
  limit: z.int().min(1).max(500),
});

/**
 * Decides on the undecided letters that fit, in the order in which they were appended. `found` says how many there
 * were for this call; the next one is told `diedBefore` of the first, for what is replayed may die again.
 */
export const decideOnDeadLetters = (service: string) =>
  defineRequest({
    type: `${service}.decide-on-dead-letters.v1`,
    schema: z.discriminatedUnion('decision', [
      OfMany.extend({ decision: z.literal('replay') }),
      OfMany.extend({ decision: z.literal('discard'), reason: z.string().min(1) }),
    ]),
    reply: z.object({
      found: z.int(),
      done: z.int(),
      /** Those that cannot be replayed, whatever is mended. They stay as they are. */
      failed: z.int(),
      diedBefore: z.iso.datetime(),
    }),
  });

/** What operators did at a service, the newest first. */
export const listOperatorActions = (service: string) =>
  defineRequest({
    type: `${service}.list-operator-actions.v1`,
    schema: z.object({ limit: z.int().min(1).max(500) }),
    reply: z.object({ actions: z.array(OperatorAction) }),
  });

/** A service's alerts, the newest first. */
export const listAlerts = (service: string) =>
  defineRequest({
    type: `${service}.list-alerts.v1`,
    schema: z.object({ limit: z.int().min(1).max(500), openOnly: z.boolean() }),
    reply: z.object({ alerts: z.array(Alert) }),
  });

/** False: there is nothing of that name, or it is decided on already. */
const Decided = z.object({ done: z.boolean() });
const Named = z.object({ subscription: z.string() });

/** Stops a subscription for all instances, until it is resumed. Not done: the service has no such subscription. */
export const pauseSubscription = (service: string) =>
  defineRequest({
    type: `${service}.pause-subscription.v1`,
    schema: Named.extend({ by: z.string(), reason: z.string() }),
    reply: Decided,
  });

/** Lets a paused subscription go on. */
export const resumeSubscription = (service: string) =>
  defineRequest({
    type: `${service}.resume-subscription.v1`,
    schema: Named.extend({ by: z.string() }),
    reply: Decided,
  });

const Decision = z.object({ id: z.uuid(), by: z.string() });

/** Puts a dead letter back at its place in its key. */
export const replayDeadLetter = (service: string) =>
  defineRequest({ type: `${service}.replay-dead-letter.v1`, schema: Decision, reply: Decided });

/** Gives a dead letter up for good. */
export const discardDeadLetter = (service: string) =>
  defineRequest({
    type: `${service}.discard-dead-letter.v1`,
    schema: Decision.extend({ reason: z.string() }),
    reply: Decided,
  });
