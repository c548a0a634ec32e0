import { z } from 'zod';
import { DatabaseConfig } from '#service-kit/config';

export const OrderConfig = DatabaseConfig.extend({
  /** The base URL of the payment provider. */
  PAYMENT_PROVIDER_URL: z.url(),
  /** Our key to it. */
  PAYMENT_API_KEY: z.string().min(16),
  /** The key that the provider signs its callbacks with. */
  PAYMENT_SECRET: z.string().min(16),
  /** Where the provider sends its callbacks: the gateway's address. */
  PAYMENT_CALLBACK_URL: z.url(),
  /** Seconds that a buyer has to pay an ordinary order; up to a year. */
  ORDER_PAYMENT_WINDOW: z.coerce.number().int().positive().max(31_622_400).default(1_800),
});
export type OrderConfig = z.output<typeof OrderConfig>;
