import type { Settings } from './settled.js';

/** One app of the shop: what it is called, what it needs, what only it is told. */
export interface Service {
  readonly name: string;
  /** Its own database, if it keeps anything. */
  readonly database?: string;
  /** Whether it answers requests of others over TCP. */
  readonly rpc: boolean;
  /** Whether several instances of it listen on the shop's one port; the launcher then hands connections round. */
  readonly sharesPort?: boolean;
  /** Whether a click waits for it. What nobody waits for yields the processor. */
  readonly waitedFor?: boolean;
  /** Whether every click passes through it, now or later. What sees few trades speed for memory. */
  readonly roomy?: boolean;
  /** What it is told beside what all are told. */
  readonly env?: (settings: Settings) => Record<string, string>;
}

/** The queue's database. */
export const LOG_DATABASE = 'sluice_log';

/**
 * How far behind others in the queue for a processor (nice value) that is which nobody waits for. At a rush the
 * shop says yes first and writes orders after: the queue between the two holds what is yet to do.
 */
const BACKGROUND_PRIORITY = 10;

/** Node's flags: room for short-lived objects where every click passes, little memory everywhere else. */
export const ROOMY_FLAGS = ['--max-semi-space-size=32'];
export const SMALL_FLAGS = ['--max-semi-space-size=2', '--optimize-for-size'];

/** How a service's process is started: Node's flags and its nice value. */
export function processOf({ roomy, waitedFor }: Service): { flags: string[]; priority: number } {
  return { flags: roomy ? ROOMY_FLAGS : SMALL_FLAGS, priority: waitedFor ? 0 : BACKGROUND_PRIORITY };
}

/**
 * Every process of the shop. They start together, as soon as PostgreSQL answers, and none needs another to
 * start. They stop together too, after the gateway and before the sandbox.
 */
export const SERVICES: readonly Service[] = [
  {
    name: 'gateway',
    rpc: false,
    sharesPort: true,
    waitedFor: true,
    roomy: true,
    env: ({ secrets, urls, ports }) => ({
      HTTP_PORT: String(ports.gateway),
      SESSION_SECRET: secrets.session,
      OPERATOR_PASSWORD: secrets.operatorPassword,
      SANDBOX_URL: urls.sandbox,
      SANDBOX_PUBLIC_URL: urls.sandbox,
    }),
  },
  { name: 'seckill', database: 'sluice_seckill', rpc: true, waitedFor: true, roomy: true },
  {
    name: 'order',
    database: 'sluice_order',
    rpc: true,
    roomy: true,
    env: ({ secrets, urls }) => ({
      PAYMENT_PROVIDER_URL: urls.sandbox,
      PAYMENT_CALLBACK_URL: `${urls.gateway}/api/payments/callback`,
      PAYMENT_SECRET: secrets.payment,
    }),
  },
  { name: 'catalog', database: 'sluice_catalog', rpc: true },
  { name: 'points', database: 'sluice_points', rpc: true },
  {
    name: 'notification',
    database: 'sluice_notification',
    rpc: true,
    env: ({ urls }) => ({ SMS_GATEWAY_URL: urls.sandbox }),
  },
  {
    name: 'merchant-notifier',
    database: 'sluice_merchant_notifier',
    rpc: true,
    env: ({ secrets, urls }) => ({
      MERCHANT_WEBHOOK_URL: `${urls.sandbox}/merchant/webhooks`,
      MERCHANT_WEBHOOK_SECRET: secrets.merchant,
    }),
  },
  { name: 'recommendation', database: 'sluice_recommendation', rpc: true },
  { name: 'statistics', database: 'sluice_statistics', rpc: true },
  {
    name: 'sandbox',
    database: 'sluice_sandbox',
    rpc: false,
    env: ({ secrets, urls, ports }) => ({
      HTTP_PORT: String(ports.sandbox),
      PUBLIC_URL: urls.sandbox,
      PAYMENT_SECRET: secrets.payment,
      MERCHANT_WEBHOOK_SECRET: secrets.merchant,
      ALERT_WEBHOOK_SECRET: secrets.alert,
    }),
  },
];
