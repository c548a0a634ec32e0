import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { BuyerId, Sku } from '../values.js';

export const GetRecommendations = defineRequest({
  type: 'recommendation.get.v1',
  schema: z.object({ buyerId: BuyerId, limit: z.int().min(1).max(50) }),
  reply: z.object({ items: z.array(z.object({ sku: Sku, score: z.number(), because: Sku.nullable() })) }),
});
