import { z } from 'zod';
import { MAX_HOT_ITEMS } from '#contracts';
import { DatabaseConfig } from '#service-kit/config';

const Positive = z.coerce.number().int().positive();

export const RecommendationConfig = DatabaseConfig.extend({
  HOT_WINDOW_MS: z.coerce
    .number()
    .int()
    .min(1_200)
    .max(3_600_000)
    .default(60_000)
    .describe('The window of hot products, in ms; it slides in sixths'),
  HOT_ENTER: Positive.default(100).describe(
    'Points in the window that make a product hot: 1 for each view, 5 for each order',
  ),
  HOT_LEAVE: Positive.default(40).describe('Points in the window below which it cools down'),
  HOT_MIN_STAY_MS: Positive.default(30_000).describe('How long a product stays hot at least, in ms'),
  HOT_ITEMS: Positive.max(MAX_HOT_ITEMS)
    .default(100)
    .describe('Maximum number of products that are hot at a time'),
}).refine(({ HOT_LEAVE, HOT_ENTER }) => HOT_LEAVE <= HOT_ENTER, {
  path: ['HOT_LEAVE'],
  error: 'is above HOT_ENTER: a product would cool down as soon as it is hot',
});
export type RecommendationConfig = z.output<typeof RecommendationConfig>;
