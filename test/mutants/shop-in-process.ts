import { AdminController } from '../../apps/gateway/src/admin/admin.controller.js';
import { GatewayConfig } from '../../apps/gateway/src/gateway.config.js';
import { GatewayModule } from '../../apps/gateway/src/gateway.module.js';
import { setUpHttp } from '../../apps/gateway/src/set-up-http.js';
import { CatalogConfig } from '../../apps/catalog/src/catalog.config.js';
import { CatalogModule } from '../../apps/catalog/src/catalog.module.js';
import { catalogDatabase } from '../../apps/catalog/src/catalog.database.js';
import { MerchantNotifierConfig } from '../../apps/merchant-notifier/src/merchant-notifier.config.js';
import { merchantNotifierDatabase } from '../../apps/merchant-notifier/src/merchant-notifier.database.js';
import { MerchantNotifierModule } from '../../apps/merchant-notifier/src/merchant-notifier.module.js';
import { NotificationConfig } from '../../apps/notification/src/notification.config.js';
import { notificationDatabase } from '../../apps/notification/src/notification.database.js';
import { NotificationModule } from '../../apps/notification/src/notification.module.js';
import { OrderConfig } from '../../apps/order/src/order.config.js';
import { orderDatabase } from '../../apps/order/src/order.database.js';
import { OrderModule } from '../../apps/order/src/order.module.js';
import { pointsDatabase } from '../../apps/points/src/points.database.js';
import { PointsModule } from '../../apps/points/src/points.module.js';
import { RecommendationConfig } from '../../apps/recommendation/src/recommendation.config.js';
import { recommendationDatabase } from '../../apps/recommendation/src/recommendation.database.js';
import { RecommendationModule } from '../../apps/recommendation/src/recommendation.module.js';
import { SandboxConfig } from '../../apps/sandbox/src/sandbox.config.js';
import { sandboxDatabase } from '../../apps/sandbox/src/sandbox.database.js';
import { SandboxModule } from '../../apps/sandbox/src/sandbox.module.js';
import { SeckillConfig } from '../../apps/seckill/src/seckill.config.js';
import { seckillDatabase } from '../../apps/seckill/src/seckill.database.js';
import { SeckillModule } from '../../apps/seckill/src/seckill.module.js';
import { statisticsDatabase } from '../../apps/statistics/src/statistics.database.js';
import { StatisticsModule } from '../../apps/statistics/src/statistics.module.js';
import type { QueueState } from '#messaging';
import { RequestClient } from '#requests';
import { freePorts } from '#server-process';
import { DatabaseConfig } from '#service-kit';
import { eventually, openTestQueue, type TestQueue } from '#testkit';
import { type AppDefinition, AppInProcess } from './app-in-process.js';
import { emptyBooks, forgetFailures } from './empty-books.js';

const PAYMENT_API_KEY = 'x'.repeat(16);
const PAYMENT_SECRET = 'y'.repeat(16);
const SMS_API_KEY = 'z'.repeat(16);
const WEBHOOK_SECRET = `whsec_${Buffer.from('a secret of the test, long enough').toString('base64')}`;

const TOPICS = [
  'order',
  'order-refund',
  'order-timer',
  'catalog',
  'catalog-product',
  'catalog-publication-timer',
  'catalog-publication',
  'catalog-pictures',
  'catalog-detail-pages',
  'catalog-promotions',
  'seckill',
  'seckill-campaign',
  'seckill-request',
  'seckill-flow',
  'points',
  'behaviour',
  'hot-items',
  'service',
];

export type Audit = Awaited<ReturnType<AdminController['audit']>>;

/** Every app that has books, and the outside world, which has its own. */
function appsAt(gatewayUrl: string, sandboxPort: number): AppDefinition[] {
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const PAYMENT_CALLBACK_URL = `${gatewayUrl}/api/payments/callback`;
  const plain = (DATABASE_URL: string) => DatabaseConfig.parse({ DATABASE_URL });
  return [
    {
      name: 'sandbox',
      module: SandboxModule,
      migrations: sandboxDatabase.migrations,
      hasMessages: false,
      httpPort: sandboxPort,
      http: app => void app.useBodyParser('application/x-www-form-urlencoded'),
      config: DATABASE_URL =>
        SandboxConfig.parse({
          DATABASE_URL,
          PUBLIC_URL: sandboxUrl,
          PAYMENT_SECRET,
          PAYMENT_CALLBACK_URL,
          PAYMENT_API_KEY,
          SMS_API_KEY,
          MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
          ALERT_WEBHOOK_SECRET: WEBHOOK_SECRET,
        }),
    },
    {
      name: 'catalog',
      module: CatalogModule,
      migrations: catalogDatabase.migrations,
      config: DATABASE_URL => CatalogConfig.parse({ DATABASE_URL }),
    },
    {
      name: 'seckill',
      module: SeckillModule,
      migrations: seckillDatabase.migrations,
      config: DATABASE_URL => SeckillConfig.parse({ DATABASE_URL }),
    },
    {
      name: 'order',
      module: OrderModule,
      migrations: orderDatabase.migrations,
      config: DATABASE_URL =>
        OrderConfig.parse({
          DATABASE_URL,
          PAYMENT_PROVIDER_URL: sandboxUrl,
          PAYMENT_CALLBACK_URL,
          PAYMENT_SECRET,
          PAYMENT_API_KEY,
        }),
    },
    { name: 'points', module: PointsModule, migrations: pointsDatabase.migrations, config: plain },
    {
      name: 'notification',
      module: NotificationModule,
      migrations: notificationDatabase.migrations,
      config: DATABASE_URL =>
        NotificationConfig.parse({ DATABASE_URL, SMS_GATEWAY_URL: sandboxUrl, SMS_API_KEY }),
    },
    {
      name: 'merchant-notifier',
      module: MerchantNotifierModule,
      migrations: merchantNotifierDatabase.migrations,
      config: DATABASE_URL =>
        MerchantNotifierConfig.parse({
          DATABASE_URL,
          MERCHANT_WEBHOOK_URL: `${sandboxUrl}/merchant/webhooks`,
          MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
        }),
    },
    {
      name: 'recommendation',
      module: RecommendationModule,
      migrations: recommendationDatabase.migrations,
      config: DATABASE_URL => RecommendationConfig.parse({ DATABASE_URL }),
    },
    {
      name: 'statistics',
      module: StatisticsModule,
      migrations: statisticsDatabase.migrations,
      config: plain,
    },
  ];
}

/** The gateway, which asks the others. */
function gatewayAt(port: number, sandboxUrl: string, others: readonly AppInProcess[]): AppDefinition {
  return {
    name: 'gateway',
    module: GatewayModule,
    httpPort: port,
    http: setUpHttp,
    config: () =>
      GatewayConfig.parse({
        SESSION_SECRET: 's'.repeat(32),
        OPERATOR_PASSWORD: 'operator-of-the-test',
        SANDBOX_PUBLIC_URL: sandboxUrl,
        SLUICE_INSTANCES: JSON.stringify(
          Object.fromEntries(others.map(({ name, address }) => [name, [address]])),
        ),
      }),
  };
}

/** The whole shop in this process: every app with its own database, one queue, and the gateway's own audit. */
export class ShopInProcess {
  private constructor(
    private readonly queue: TestQueue,
    /** Those that have books. */
    readonly keepers: readonly AppInProcess[],
    readonly gateway: AppInProcess,
  ) {}

  static async start(): Promise<ShopInProcess> {
    const queue = await openTestQueue();
    await openTopics(queue);
    const [gatewayPort, sandboxPort] = (await freePorts(2)) as [number, number];
    const keepers: AppInProcess[] = [];
    for (const definition of appsAt(`http://127.0.0.1:${gatewayPort}`, sandboxPort))
      keepers.push(await AppInProcess.start(definition, queue));
    const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
    const gateway = await AppInProcess.start(gatewayAt(gatewayPort, sandboxUrl, keepers), queue);
    return new ShopInProcess(queue, keepers, gateway);
  }

  get apps(): readonly AppInProcess[] {
    return [...this.keepers, this.gateway];
  }

  of(name: string): AppInProcess {
    return this.apps.find(each => each.name === name)!;
  }

  get requests(): RequestClient {
    return this.gateway.app.get(RequestClient);
  }

  /** The audit as the gateway answers it. */
  audit(): Promise<Audit> {
    return this.gateway.app.get(AdminController).audit();
  }

  /** Resolves when nothing moves any more. A message whose handler fails again and again does not count. */
  async quiet(): Promise<void> {
    let before = -1;
    await eventually(
      () => this.moving(),
      ({ moving, appended }) => {
        const still = !moving && appended === before;
        before = appended;
        return still;
      },
    );
  }

  /** Back to empty books, with every message accounted for. */
  async startOver(): Promise<void> {
    // What waits for another attempt would write into the empty books.
    const failures = await Promise.all(this.withMessages.map(each => forgetFailures(each.database)));
    if (failures.some(count => count > 0)) await this.quiet();
    await Promise.all(this.keepers.map(each => emptyBooks(each.database, each.hasMessages)));
  }

  async stop(): Promise<void> {
    for (const app of [...this.apps].reverse()) await app.stop();
    await this.queue.drop();
  }

  private get withMessages(): AppInProcess[] {
    return this.keepers.filter(each => each.hasMessages);
  }

  private async moving(): Promise<{ moving: boolean; appended: number }> {
    const states = await Promise.all(this.withMessages.map(each => each.monitor.state(false)));
    const [{ waiting }] = (await this.of('sandbox').database.query(
      'SELECT count(*)::int AS waiting FROM callback WHERE delivered_at IS NULL',
    )) as [{ waiting: number }];
    const appended = states
      .flatMap(({ subscriptions }) => subscriptions)
      .reduce((total, each) => total + each.appended, 0);
    const [{ news }] = (await this.of('catalog').database.query(
      'SELECT count(*)::int AS news FROM product_news',
    )) as [{ news: number }];
    return { moving: waiting > 0 || news > 0 || states.some(isMoving), appended };
  }
}

/** With one partition each, so that messages of the same moment are one batch. */
async function openTopics(queue: TestQueue): Promise<void> {
  const transport = queue.connect('topics');
  await transport.ensureTopics(TOPICS.map(name => ({ name, partitions: 1 })));
  await transport.close();
}

function isMoving({ outbox, timersDue, subscriptions }: QueueState): boolean {
  return outbox > 0 || timersDue > 0 || subscriptions.some(({ lag }) => lag > 0);
}
