import { z } from 'zod';
import {
  Alert,
  DeadLetter,
  DeadLetterFilter,
  defineRequest,
  Id,
  Instant,
  Moment,
  OperatorAction,
  QueueState,
  Text,
} from '#messaging';

/** What a service's queues look like now. Every service with a database answers it. */
export const getQueueState = (service: string) =>
  defineRequest({
    type: `${service}.get-queue-state.v1`,
    /** `order` checks the order of every receipt, which takes seconds if there are millions. */
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
      after: z.object({ deadAt: Moment, id: Id }).optional(),
    }),
    reply: z.object({ deadLetters: z.array(DeadLetter) }),
  });

/** One letter, whatever became of it; null when the service has none with that id. */
export const getDeadLetter = (service: string) =>
  defineRequest({
    type: `${service}.get-dead-letter.v1`,
    schema: z.object({ id: Id }),
    reply: z.object({ deadLetter: DeadLetter.nullable() }),
  });

const OfMany = z.object({
  by: Text.min(1),
  filter: DeadLetterFilter,
  /** How many of the found letters to skip, because they could not be decided on. */
  skip: z.int().nonnegative(),
  /** Letters that died later are left alone. Defaults to now, by the clock of the service's database. */
  diedBefore: Instant.optional(),
  /** Most letters in one call. */
  limit: z.int().min(1).max(500),
});

/**
 * Decides on the undecided letters that match, in the order in which they were appended. `found` is how many
 * there were for this call. Give the next call the `diedBefore` of the first, because a replayed letter may
 * die again.
 */
export const decideOnDeadLetters = (service: string) =>
  defineRequest({
    type: `${service}.decide-on-dead-letters.v1`,
    schema: z.discriminatedUnion('decision', [
      OfMany.extend({ decision: z.literal('replay') }),
      OfMany.extend({ decision: z.literal('discard'), reason: Text.min(1) }),
    ]),
    reply: z.object({
      found: z.int(),
      done: z.int(),
      /** Letters that cannot be replayed at all. They stay as they are. */
      failed: z.int(),
      diedBefore: Instant,
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

/** False: nothing has that name, or it is already decided on. */
const Decided = z.object({ done: z.boolean() });
const Named = z.object({ subscription: Text });

/** Stops a subscription for all instances, until it is resumed. Not done: the service has no such subscription. */
export const pauseSubscription = (service: string) =>
  defineRequest({
    type: `${service}.pause-subscription.v1`,
    schema: Named.extend({ by: Text, reason: Text }),
    reply: Decided,
  });

/** Lets a paused subscription go on. */
export const resumeSubscription = (service: string) =>
  defineRequest({
    type: `${service}.resume-subscription.v1`,
    schema: Named.extend({ by: Text }),
    reply: Decided,
  });

const Decision = z.object({ id: Id, by: Text });

/** Puts a dead letter back at its place in its key. */
export const replayDeadLetter = (service: string) =>
  defineRequest({ type: `${service}.replay-dead-letter.v1`, schema: Decision, reply: Decided });

/** Gives a dead letter up for good. */
export const discardDeadLetter = (service: string) =>
  defineRequest({
    type: `${service}.discard-dead-letter.v1`,
    schema: Decision.extend({ reason: Text }),
    reply: Decided,
  });
