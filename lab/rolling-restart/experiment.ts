import { setTimeout } from 'node:timers/promises';
import { type Answer, type Buyer, inParallel, type ShopClient } from '#shop-kit';
import { defineExperiment } from '../frame/experiment.js';
import type { Stage } from '../frame/stage.js';

interface Scene {
  readonly client: ShopClient;
  readonly campaignId: string;
  readonly buyers: readonly Buyer[];
  calls: number;
  dropped: number;
  /** Every instance has been replaced. */
  isOver: boolean;
}

type Sized = Readonly<Record<'shoppers' | 'services', number>>;

/** One after the other; how many of them is set by the size. */
const INSTANCES = [
  'gateway-1',
  'gateway-2',
  'seckill-1',
  'order-1',
  'catalog-1',
  'points-1',
  'notification-1',
  'statistics-1',
];
const MANY = 1_000_000;
/** How long a shopper takes from an answer to the next click, in ms. */
const BREATH_MS = 20;

export default defineExperiment<Sized, Scene, Record<'calls' | 'dropped' | 'restarts' | 'broken', number>>({
  name: 'rolling-restart',
  question: 'Can every process be replaced during a sale without a call dropped?',
  arms: {
    naive: 'kills all of them at once and starts them again',
    ours: 'asks one after the other to finish what it has in hand (SIGTERM), and waits for its replacement',
  },
  sizes: { small: { shoppers: 4, services: 4 }, full: { shoppers: 16, services: INSTANCES.length } },
  shop: { scale: { gateway: 2 } },
  series: { answered: 'Calls answered' },
  figures: {
    restarts: 'processes replaced',
    calls: 'calls',
    dropped: '… without an answer, or with an error that does not say when to come again',
    broken: 'invariants of the audit that do not hold afterward',
  },
  invariants: [
    { name: 'every call has an honest answer', naive: 'breaks', holds: ({ dropped }) => dropped === 0 },
    { name: 'nothing is lost, doubled or oversold', naive: 'keeps', holds: ({ broken }) => broken === 0 },
  ],

  async scene({ shop, size }): Promise<Scene> {
    const client = shop.connect({ connections: size.shoppers });
    const campaignId = await client.operator.openCampaign({ stock: MANY, perUserLimit: MANY });
    const buyers = await inParallel(Array(size.shoppers).keys(), size.shoppers, () => client.buyer());
    return { client, campaignId, buyers, calls: 0, dropped: 0, isOver: false };
  },

  async load(stage, scene) {
    await Promise.all(scene.buyers.map(buyer => keepClicking(stage, scene, buyer)));
  },

  async faults(stage, scene) {
    const { faults } = stage.shop;
    const instances = INSTANCES.slice(0, stage.size.services);
    try {
      // #region restarts
      if (stage.arm === 'naive') {
        stage.mark('all are killed');
        await Promise.all(instances.map(instance => faults.kill(instance)));
        await Promise.all(instances.map(instance => faults.untilUp(instance)));
      } else {
        for (const instance of instances) {
          stage.mark(`${instance} is restarted`);
          await faults.restart(instance);
        }
      }
      // #endregion
    } finally {
      scene.isOver = true;
    }
  },

  async measure({ size, shop }, { client, calls, dropped }) {
    await client.close();
    const { settled, invariants } = await shop.audit();
    const broken = invariants.filter(({ holds }) => !holds).length + (settled ? 0 : 1);
    return { restarts: size.services, calls, dropped, broken };
  },

  inWords: (naive, ours) =>
    `Killed all at once, ${naive.dropped} of ${naive.calls} calls were dropped, and no data. Restarted one after the other, ` +
    `${ours.dropped} of ${ours.calls} were.`,
});

async function keepClicking(stage: Stage<Sized>, scene: Scene, { token }: Buyer): Promise<void> {
  const path = `/api/campaigns/${scene.campaignId}/orders`;
  while (!scene.isOver) {
    const answer = await scene.client
      .call('POST', path, { body: { quantity: 1 }, token })
      .catch(() => undefined);
    scene.calls += 1;
    if (answer !== undefined && isHonest(answer)) {
      stage.count('answered');
    } else {
      scene.dropped += 1;
    }
    await setTimeout(BREATH_MS);
  }
}

/** A decision, or a word on when to come again. */
function isHonest({ status, retryAfterMs }: Answer): boolean {
  return status < 500 || ((status === 503 || status === 504) && retryAfterMs !== undefined);
}
