import type { z } from 'zod';
import { DatabaseConfig } from '#service-kit/config';
import { TransportConfig } from '#transport-choice';
import { CatalogConfig } from '../../catalog/src/catalog.config.js';
import { GatewayConfig } from '../../gateway/src/gateway.config.js';
import { MerchantNotifierConfig } from '../../merchant-notifier/src/merchant-notifier.config.js';
import { NotificationConfig } from '../../notification/src/notification.config.js';
import { OrderConfig } from '../../order/src/order.config.js';
import { RecommendationConfig } from '../../recommendation/src/recommendation.config.js';
import { SandboxConfig } from '../../sandbox/src/sandbox.config.js';
import { SeckillConfig } from '../../seckill/src/seckill.config.js';
import { StartRefused } from './start-refused.js';
import type { ProcessToRun } from './supervisor.js';

/** The settings of the apps that have some of their own. */
const OWN: Readonly<Record<string, z.ZodObject>> = {
  catalog: CatalogConfig,
  gateway: GatewayConfig,
  'merchant-notifier': MerchantNotifierConfig,
  notification: NotificationConfig,
  order: OrderConfig,
  recommendation: RecommendationConfig,
  sandbox: SandboxConfig,
  seckill: SeckillConfig,
};

/** One of them must not be in a value, so that it can be written between two of it. */
export const QUOTES = ["'", '"', '`'];

/** What an app parses its environment by. */
export function settingsOf(app: string): readonly z.ZodObject[] {
  const own = OWN[app] ?? DatabaseConfig;
  return app === 'sandbox' ? [own] : [own, TransportConfig];
}

/** The settings of an app that whoever starts the shop has set. */
export function givenSettings(app: string, env: NodeJS.ProcessEnv): Record<string, string> {
  const names = settingsOf(app).flatMap(({ shape }) => Object.keys(shape));
  return Object.fromEntries(names.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/**
 * Checks every setting of every app before anything starts: an app that refuses its settings could only be started
 * again and again.
 * @throws StartRefused that names every bad setting
 */
export function checkSettings(processes: readonly Pick<ProcessToRun, 'app' | 'env'>[]): void {
  const bad = new Map<string, string>();
  for (const { app, env } of processes) {
    for (const [name, value] of Object.entries(env))
      if (QUOTES.every(each => value.includes(each))) bad.set(name, 'has all three kinds of quotes in it');
    for (const schema of settingsOf(app))
      for (const { path, message } of schema.safeParse(env).error?.issues ?? [])
        bad.set(path.join('.'), message);
  }
  if (bad.size > 0) throw new StartRefused([...bad].map(([name, why]) => `${name}: ${why}`).join('; '));
}
