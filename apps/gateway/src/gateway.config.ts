import { z } from 'zod';
import { ServiceConfig } from '#service-kit';

export const GatewayConfig = ServiceConfig.extend({
  /** What session tokens are signed with (HS256). */
  SESSION_SECRET: z.string().min(32),
  OPERATOR_PASSWORD: z.string().min(8),
  /** Whether anyone may sign in as any shopper, as a demo needs. */
  DEMO_SIGN_IN: z.enum(['on', 'off']).default('on'),
  /** How people reach it, for the index page. */
  SANDBOX_PUBLIC_URL: z.url(),
  /** Clicks that may wait for an answer; the next is told to come back. */
  GATEWAY_CLICKS: z.coerce.number().int().positive().default(20_000),
});
export type GatewayConfig = z.output<typeof GatewayConfig>;
