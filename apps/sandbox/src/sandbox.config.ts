import { z } from 'zod';
import { databaseKeys, ServiceConfig, WebhookSecret } from '#service-kit/config';

export const SandboxConfig = ServiceConfig.extend({
  ...databaseKeys,
  /** Its public URL; its checkout pages are below it. */
  PUBLIC_URL: z.url(),
  /** The key that signs payment callbacks. */
  PAYMENT_SECRET: z.string().min(16),
  /** Where the customer has its callbacks sent. */
  PAYMENT_CALLBACK_URL: z.url(),
  /** The customer's keys to the payment provider and to the SMS gateway. */
  PAYMENT_API_KEY: z.string().min(16),
  SMS_API_KEY: z.string().min(16),
  /** The key that the merchant's endpoint checks webhooks with. */
  MERCHANT_WEBHOOK_SECRET: WebhookSecret,
  /** The same for the pager. */
  ALERT_WEBHOOK_SECRET: WebhookSecret,
});
export type SandboxConfig = z.output<typeof SandboxConfig>;
