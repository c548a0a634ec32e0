import { z } from 'zod';
import { DatabaseConfig } from '#service-kit';

export const MerchantNotifierConfig = DatabaseConfig.extend({
  /** The merchant's endpoint. */
  MERCHANT_WEBHOOK_URL: z.url(),
  /** What its webhooks are signed with: `whsec_` and base64, as Standard Webhooks has it. */
  MERCHANT_WEBHOOK_SECRET: z.string().regex(/^whsec_[A-Za-z0-9+/=]{24,}$/, 'is whsec_ and base64'),
});
export type MerchantNotifierConfig = z.output<typeof MerchantNotifierConfig>;
