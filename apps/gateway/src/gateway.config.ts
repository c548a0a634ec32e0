import { z } from 'zod';
import { OperatorPassword, ServiceConfig } from '#service-kit/config';

export const GatewayConfig = ServiceConfig.extend({
  /** The key that signs session tokens (HS256). */
  SESSION_SECRET: z.string().min(32),
  OPERATOR_PASSWORD: OperatorPassword,
  /** Whether anyone may sign in as any shopper, as a demo needs. */
  DEMO_SIGN_IN: z.enum(['on', 'off']).default('on'),
  /** The sandbox's public address, for the index page. */
  SANDBOX_PUBLIC_URL: z.url(),
  /** Maximum number of clicks waiting for an answer; any further click gets `busy`. */
  GATEWAY_CLICKS: z.coerce.number().int().positive().default(20_000),
});
export type GatewayConfig = z.output<typeof GatewayConfig>;
