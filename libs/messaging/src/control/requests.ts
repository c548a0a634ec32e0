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
      subscription: z.string().optional(),
    }),
    reply: z.object({ deadLetters: z.array(DeadLetter) }),
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
  defineRequest({ type: `${service}.resume-subscription.v1`, schema: Named, reply: Decided });

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
