import { z } from 'zod';
import { DatabaseConfig } from '#service-kit';

const Count = z.coerce.number().int().positive();

export const SeckillConfig = DatabaseConfig.extend({
  /** Most clicks decided in one transaction. */
  SECKILL_BATCH: Count.default(500),
  /** Clicks that may wait; the next is told `busy`. */
  SECKILL_QUEUE: Count.default(20_000),
  /** Risk: most clicks of one buyer at this instance in the window, and most reservations of one buyer in all. */
  RISK_CLICKS: Count.default(100),
  RISK_RESERVATIONS: Count.default(50),
  RISK_WINDOW_S: Count.default(10),
});
export type SeckillConfig = z.output<typeof SeckillConfig>;
