import type { Settings } from './settings.js';

/** One app of the shop: its name, its needs, and its own environment variables. */
export interface Service {
  readonly name: string;
  /**
   * - `entrance`: takes calls from outside on the shop's one port, which its instances share.
   *   No other app asks it anything; it only gets replies.
   * - `service`: answers requests of other apps, and any number of instances may run.
   * - `outside`: stands for the outside world; it has a port of its own and runs once.
   */
  readonly kind: 'entrance' | 'service' | 'outside';
  /** Its own database, if it keeps anything. */
  readonly database?: string;
  /** `background` work yields the processor to what a click waits for. The default is `background`. */
  readonly priority?: 'foreground' | 'background';
  /** `large` where every click passes, now or later. `small`, the default, trades speed for memory. */
  readonly memory?: 'large' | 'small';
  /** Its environment variables besides those that every app gets. */
  readonly env?: (settings: Settings) => Record<string, string>;
}

/** The queue's database. */
export const LOG_DATABASE = 'sluice_log';

/**
 * Nice value for processes that no request waits for. In a rush, the shop confirms orders first and writes
 * them later; the queue between the two holds the backlog.
 */
const BACKGROUND_NICE = 10;

/** Node's flags, by memory: room for short-lived objects where every click passes, little everywhere else. */
export const NODE_FLAGS = {
  large: ['--max-semi-space-size=32'],
  small: ['--max-semi-space-size=2'],
} as const;

/** How a service's process is started: Node's flags and its nice value. */
export function processOf({ memory = 'small', priority = 'background' }: Service): {
  flags: string[];
  priority: number;
} {
  return { flags: [...NODE_FLAGS[memory]], priority: priority === 'foreground' ? 0 : BACKGROUND_NICE };
}

/** Whether it answers requests of other apps over TCP. */
export function answersRequests({ kind }: Service): boolean {
  return kind !== 'entrance';
}

/** Whether more than one instance of it may run. */
export function isScalable({ kind }: Service): boolean {
  return kind !== 'outside';
}

export function instancesOf(service: string, scale: ReadonlyMap<string, number>): string[] {
  return Array.from({ length: scale.get(service) ?? 1 }, (_, n) => `${service}-${n + 1}`);
}

/**
 * Every process of the shop. They start together, as soon as PostgreSQL answers, and none needs another to
 * start. They stop together too, after the gateway and before the sandbox.
 */
export const SERVICES: readonly Service[] = [
  {
    name: 'gateway',
    kind: 'entrance',
    priority: 'foreground',
    memory: 'large',
    env: ({ secrets, urls, ports }) => ({
      HTTP_PORT: String(ports.gateway),
      SESSION_SECRET: secrets.session,
      OPERATOR_PASSWORD: secrets.operatorPassword,
      SANDBOX_PUBLIC_URL: urls.sandbox,
    }),
  },
  { name: 'seckill', kind: 'service', database: 'sluice_seckill', priority: 'foreground', memory: 'large' },
  {
    name: 'order',
    database: 'sluice_order',
    kind: 'service',
    memory: 'large',
    env: ({ secrets, urls }) => ({
      PAYMENT_PROVIDER_URL: urls.sandbox,
      PAYMENT_CALLBACK_URL: `${urls.gateway}/api/payments/callback`,
      PAYMENT_SECRET: secrets.payment,
      PAYMENT_API_KEY: secrets.paymentKey,
    }),
  },
  { name: 'catalog', kind: 'service', database: 'sluice_catalog' },
  { name: 'points', kind: 'service', database: 'sluice_points' },
  {
    name: 'notification',
    database: 'sluice_notification',
    kind: 'service',
    env: ({ secrets, urls }) => ({ SMS_GATEWAY_URL: urls.sandbox, SMS_API_KEY: secrets.smsKey }),
  },
  {
    name: 'merchant-notifier',
    database: 'sluice_merchant_notifier',
    kind: 'service',
    env: ({ secrets, urls }) => ({
      MERCHANT_WEBHOOK_URL: `${urls.sandbox}/merchant/webhooks`,
      MERCHANT_WEBHOOK_SECRET: secrets.merchant,
    }),
  },
  { name: 'recommendation', kind: 'service', database: 'sluice_recommendation' },
  { name: 'statistics', kind: 'service', database: 'sluice_statistics' },
  {
    name: 'sandbox',
    database: 'sluice_sandbox',
    kind: 'outside',
    env: ({ secrets, urls, ports }) => ({
      HTTP_PORT: String(ports.sandbox),
      PUBLIC_URL: urls.sandbox,
      PAYMENT_SECRET: secrets.payment,
      PAYMENT_CALLBACK_URL: `${urls.gateway}/api/payments/callback`,
      PAYMENT_API_KEY: secrets.paymentKey,
      SMS_API_KEY: secrets.smsKey,
      MERCHANT_WEBHOOK_SECRET: secrets.merchant,
      ALERT_WEBHOOK_SECRET: secrets.alert,
    }),
  },
];
