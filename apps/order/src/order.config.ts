import { z } from 'zod';
import { DatabaseConfig } from '#service-kit/config';

export const OrderConfig = DatabaseConfig.extend({
  PAYMENT_PROVIDER_URL: z.url().describe('The base URL of the payment provider'),
  PAYMENT_API_KEY: z.string().min(16).describe('Our key to the payment provider'),
  PAYMENT_SECRET: z.string().min(16).describe('The key that signs payment callbacks'),
  PAYMENT_CALLBACK_URL: z.url().describe("Where payment callbacks are sent: the gateway's address"),
  ORDER_PAYMENT_WINDOW: z.coerce
    .number()
    .int()
    .positive()
    .max(31_622_400)
    .default(1_800)
    .describe('Seconds that a buyer has to pay an ordinary order; up to a year'),
});
export type OrderConfig = z.output<typeof OrderConfig>;
