import { z } from 'zod';
import { DatabaseConfig } from '#service-kit/config';

const Count = z.coerce.number().int().positive();

export const SeckillConfig = DatabaseConfig.extend({
  /** Maximum number of clicks decided in one transaction. */
  SECKILL_BATCH: Count.default(500),
  /** Maximum number of waiting clicks; any further click gets `busy`. */
  SECKILL_QUEUE: Count.default(20_000),
  /** Risk limits of one buyer in the window: clicks at this instance, and reservations in total. */
  RISK_CLICKS: Count.default(100),
  RISK_RESERVATIONS: Count.default(50),
  RISK_WINDOW_S: Count.default(10),
});
export type SeckillConfig = z.output<typeof SeckillConfig>;
