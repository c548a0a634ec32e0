import { z } from 'zod';
import { DatabaseConfig } from '#service-kit/config';

const Count = z.coerce.number().int().positive();

export const SeckillConfig = DatabaseConfig.extend({
  SECKILL_BATCH: Count.default(500).describe('Maximum number of clicks decided in one transaction'),
  SECKILL_QUEUE: Count.default(20_000).describe(
    'Maximum number of waiting clicks; any further click gets `busy`',
  ),
  RISK_CLICKS: Count.default(100).describe('Clicks of one buyer in the window that an instance takes'),
  RISK_RESERVATIONS: Count.default(50).describe('Reservations of one buyer in the window'),
  RISK_WINDOW_S: Count.default(10).describe('The window of the risk limits, in seconds'),
});
export type SeckillConfig = z.output<typeof SeckillConfig>;
