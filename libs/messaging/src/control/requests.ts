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
  dead: z.int(),
  /** Messages handled after a later one of their key, by the receipts that are kept. */
  outOfOrder: z.int(),
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
  reason: z.string(),
  error: z.string(),
  deadAt: z.string(),
});
export type DeadLetter = z.output<typeof DeadLetter>;

/** What a service's queues look like now. Every service with a database answers it. */
export const getQueueState = (service: string) =>
  defineRequest({ type: `${service}.get-queue-state.v1`, schema: z.object({}), reply: QueueState });

/** A service's dead letters, the newest first. */
export const listDeadLetters = (service: string) =>
  defineRequest({
    type: `${service}.list-dead-letters.v1`,
    schema: z.object({ limit: z.int().min(1).max(500) }),
    reply: z.object({ deadLetters: z.array(DeadLetter) }),
  });
