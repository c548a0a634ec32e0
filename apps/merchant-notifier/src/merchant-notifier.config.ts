import { z } from 'zod';
import { DatabaseConfig, WebhookSecret } from '#service-kit/config';

export const MerchantNotifierConfig = DatabaseConfig.extend({
  /** The merchant's endpoint. */
  MERCHANT_WEBHOOK_URL: z.url(),
  /** The key that signs its webhooks. */
  MERCHANT_WEBHOOK_SECRET: WebhookSecret,
});
export type MerchantNotifierConfig = z.output<typeof MerchantNotifierConfig>;
