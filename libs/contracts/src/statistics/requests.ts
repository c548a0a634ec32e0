import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { Currency, Instant, Sum } from '../values.js';

export const GetStatistics = defineRequest({
  type: 'statistics.get.v1',
  schema: z.object({ minutes: z.int().min(1).max(1_440) }),
  reply: z.object({
    funnel: z.object({ placed: z.int(), paid: z.int(), cancelled: z.int(), refunded: z.int() }),
    perMinute: z.array(
      z.object({
        minute: Instant,
        currency: Currency,
        paid: z.int(),
        salesMinor: Sum,
        items: Sum,
      }),
    ),
  }),
});
