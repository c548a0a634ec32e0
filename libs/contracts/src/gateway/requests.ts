import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { MAX_CLICKS, Decision } from '../seckill/requests.js';
import { Id, Instant } from '../values.js';

/** Tells a gateway the decisions on clicks that it put on the queue. It goes to the very instance that asked. */
export const TellDecisions = defineRequest({
  type: 'gateway.tell-decisions.v1',
  schema: z.object({
    decisions: z
      .array(z.object({ reservationId: Id, decision: Decision }))
      .min(1)
      .max(MAX_CLICKS),
    /** The time by the clock of the flash sale's database, in ms since 1970; absent when nothing had to be decided there. */
    now: z.number().optional(),
    /** A campaign of which nothing was left after these decisions. */
    soldOut: z.object({ campaignId: Id, version: z.int(), endsAt: Instant }).optional(),
  }),
  reply: z.object({}),
});
