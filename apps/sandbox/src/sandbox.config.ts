import { z } from 'zod';
import { databaseKeys, ServiceConfig, WebhookSecret } from '#service-kit';

export const SandboxConfig = ServiceConfig.extend({
  ...databaseKeys,
  /** How people and programs reach it; its checkout pages are below. */
  PUBLIC_URL: z.url(),
  /** What payment callbacks are signed with. */
  PAYMENT_SECRET: z.string().min(16),
  /** What the merchant's endpoint checks webhooks with. */
  MERCHANT_WEBHOOK_SECRET: WebhookSecret,
  /** The same for the pager. */
  ALERT_WEBHOOK_SECRET: WebhookSecret,
});
export type SandboxConfig = z.output<typeof SandboxConfig>;
