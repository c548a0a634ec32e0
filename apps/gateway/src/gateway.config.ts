import { z } from 'zod';
import { OperatorPassword, ServiceConfig } from '#service-kit/config';

const Count = z.coerce.number().int().positive();

export const GatewayConfig = ServiceConfig.extend({
  SESSION_SECRET: z
    .string()
    .min(32)
    .describe('The key that signs session tokens (HS256); the same in all gateways'),
  OPERATOR_PASSWORD: OperatorPassword.describe("The operator's password; the same in all gateways"),
  DEMO_SIGN_IN: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether anyone may sign in as any shopper, as a demo needs'),
  SANDBOX_PUBLIC_URL: z.url().describe("The sandbox's public address, for the index page"),
  GATEWAY_HOT_AGE_MS: Count.default(5_000).describe(
    'How long a copy of a hot product may be served without asking the catalog, in ms',
  ),
  GATEWAY_CLICKS: Count.default(20_000).describe(
    'Maximum number of clicks waiting for an answer; any further click gets `busy`',
  ),
  GATEWAY_QUEUED: Count.default(2_000).describe(
    'Maximum number of clicks of this instance on the queue (campaigns of mode `queue`); any further click gets `busy`',
  ),
  GATEWAY_QUEUED_MS: Count.default(8_000).describe(
    'How long a click on the queue may wait to be decided, in ms',
  ),
});
export type GatewayConfig = z.output<typeof GatewayConfig>;
