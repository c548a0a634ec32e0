import { z } from 'zod';
import { databaseKeys, HttpConfig } from '#service-kit';

export const SandboxConfig = HttpConfig.extend({
  ...databaseKeys,
  /** How people and programs reach it; its checkout pages are below. */
  PUBLIC_URL: z.url(),
  /** What payment callbacks are signed with. */
  PAYMENT_SECRET: z.string().min(16),
  /** What the merchant's endpoint checks webhooks with. */
  MERCHANT_WEBHOOK_SECRET: z.string(),
  ALERT_WEBHOOK_SECRET: z.string(),
});
export type SandboxConfig = z.output<typeof SandboxConfig>;
