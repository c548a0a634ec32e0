import { z } from 'zod';
import { DatabaseConfig, WebhookSecret } from '#service-kit/config';

export const MerchantNotifierConfig = DatabaseConfig.extend({
  MERCHANT_WEBHOOK_URL: z.url().describe("The merchant's endpoint"),
  MERCHANT_WEBHOOK_SECRET: WebhookSecret.describe(
    'The key that signs webhooks to the merchant: `whsec_` and base64',
  ),
});
export type MerchantNotifierConfig = z.output<typeof MerchantNotifierConfig>;
