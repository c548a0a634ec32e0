import { z } from 'zod';
import { defineRequest } from '#messaging';

/** SHA-256 in hex. */
const Digest = z.string().regex(/^[0-9a-f]{64}$/);
const CallId = z.uuid();

/** What a caller is answered again: the body of a success, or the refusal. */
export const KeptAnswer = z.union([
  z.object({ body: z.unknown(), streamed: Digest.optional() }),
  z.object({
    refusal: z.object({
      code: z.string(),
      message: z.string(),
      facts: z.record(z.string(), z.unknown()),
    }),
  }),
]);
export type KeptAnswer = z.output<typeof KeptAnswer>;

/** Most calls in one request. */
export const MAX_KEYED_CALLS = 500;

/** A call that asks to begin. */
export const KeyedCall = z.object({
  /** Of the caller, the route and the caller's own key. */
  key: Digest,
  /** Of what the call says. */
  fingerprint: Digest,
  /** Names this attempt. */
  claim: CallId,
  /** What the ids of the call's effects are derived from, if it is the first with this key. */
  seed: CallId,
});
export type KeyedCall = z.output<typeof KeyedCall>;

export const Begun = z.discriminatedUnion('state', [
  /** It is this attempt's to do. `again`: an attempt before it ended without an answer, and may have had its effect. */
  z.object({ state: z.literal('claimed'), seed: CallId, again: z.boolean() }),
  z.object({ state: z.literal('answered'), answer: KeptAnswer }),
  z.object({ state: z.literal('under_way') }),
  z.object({ state: z.literal('another_call') }),
]);
export type Begun = z.output<typeof Begun>;

/** Claims keys, each of them once in a request; asked again, it is the same. The reply has one answer for each, in their order. */
export const beginKeyedCalls = (service: string) =>
  defineRequest({
    type: `${service}.begin-keyed-calls.v1`,
    schema: z.object({ calls: z.array(KeyedCall).min(1).max(MAX_KEYED_CALLS) }),
    reply: z.object({ calls: z.array(Begun) }),
  });

/**
 * What becomes of a claim: it has its answer, it goes on, it lapses because its outcome is not known, or it is forgotten
 * because the call had no effect.
 */
export const Settled = z.object({
  key: Digest,
  claim: CallId,
  as: z.enum(['answered', 'under_way', 'lapsed', 'forgotten']),
  answer: KeptAnswer.optional(),
});
export type Settled = z.output<typeof Settled>;

export const settleKeyedCalls = (service: string) =>
  defineRequest({
    type: `${service}.settle-keyed-calls.v1`,
    schema: z.object({ calls: z.array(Settled).min(1).max(MAX_KEYED_CALLS) }),
    reply: z.object({}),
  });
