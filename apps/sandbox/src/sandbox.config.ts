import { z } from 'zod';
import { databaseKeys, ServiceConfig, WebhookSecret } from '#service-kit/config';

export const SandboxConfig = ServiceConfig.extend({
  ...databaseKeys,
  PUBLIC_URL: z.url().describe('Its own public address; its checkout pages are below it'),
  PAYMENT_SECRET: z.string().min(16).describe('The key that signs payment callbacks'),
  PAYMENT_CALLBACK_URL: z.url().describe("Where payment callbacks are sent: the gateway's address"),
  PAYMENT_API_KEY: z.string().min(16).describe('Our key to the payment provider'),
  SMS_API_KEY: z.string().min(16).describe('Our key to the SMS gateway'),
  MERCHANT_WEBHOOK_SECRET: WebhookSecret.describe(
    'The key that signs webhooks to the merchant: `whsec_` and base64',
  ),
  ALERT_WEBHOOK_SECRET: WebhookSecret.describe('The key that signs alerts: `whsec_` and base64'),
});
export type SandboxConfig = z.output<typeof SandboxConfig>;
