import type { Pool } from 'pg';
import { anItem, type Buyer, inParallel, until } from '#shop-kit';
import { defineExperiment } from '../frame/experiment.js';
import type { Stage } from '../frame/stage.js';

interface Scene {
  readonly database: Pool;
  readonly buyers: readonly Buyer[];
  dead: number;
  parked: number;
  whileOff: number;
}

type Sized = Readonly<Record<'orders', number>>;

const SCHEMA = `
CREATE TABLE sent (order_id uuid PRIMARY KEY);
CREATE TABLE dead_letter (order_id uuid PRIMARY KEY, error text NOT NULL)`;
/** The shop's own subscription that sends text messages. */
const NOTICES = 'notification.follow-order';
const AT_ONCE = 8;
const LONGEST_MS = 120_000;

export default defineExperiment<
  Sized,
  Scene,
  Record<'orders' | 'dead' | 'parked' | 'whileOff' | 'sent', number>
>({
  name: 'outage-and-switch',
  question: 'What is left of an outage of the SMS gateway when it is over?',
  arms: {
    naive: 'three attempts, then a dead letter, for whatever reason',
    ours: 'tells an outage from a bad message: the subscription waits; an operator can switch it off and on',
  },
  sizes: { small: { orders: 10 }, full: { orders: 200 } },
  series: { settled: 'Orders that have their text message, or were given up' },
  figures: {
    orders: 'orders placed during the outage',
    dead: 'text messages given up in the outage',
    parked: 'text messages set aside in the outage, to be tried again',
    whileOff: 'text messages sent while an operator had them switched off (naive has no switch)',
    sent: 'text messages sent in the end, with nobody’s help',
  },
  invariants: [
    {
      name: 'an outage fills no dead letters',
      naive: 'breaks',
      holds: ({ dead }) => dead === 0,
    },
    {
      name: 'every text message goes out when the outage is over',
      naive: 'breaks',
      holds: ({ sent, orders }) => sent === orders,
    },
    { name: 'what is switched off does nothing', naive: 'keeps', holds: ({ whileOff }) => whileOff === 0 },
  ],

  async scene(stage): Promise<Scene> {
    const { url, database } = await stage.database(SCHEMA);
    const { client } = stage.shop;
    const buyers = await inParallel(Array(stage.size.orders).keys(), AT_ONCE, () => client.buyer());
    if (stage.arm === 'naive') {
      const { SMS_GATEWAY_URL = '', SMS_API_KEY = '' } = await stage.shop.environmentOf('notification-1');
      const program = 'outage-and-switch/naive-consumer';
      const consumer = await stage.start(program, { DATABASE_URL: url, SMS_GATEWAY_URL, SMS_API_KEY });
      await consumer.report('ready');
      consumer.onReport(() => stage.count('settled'));
    }
    return { database, buyers, dead: 0, parked: 0, whileOff: 0 };
  },

  async load(stage, scene) {
    const { faults } = stage.shop;
    await faults.outside('sms', { failRate: 1 });
    stage.mark('the SMS gateway is away');
    await inParallel(scene.buyers, AT_ONCE, buyer => buyer.order([anItem()]));
    if (stage.arm === 'naive') await naiveOutage(stage, scene);
    else await ourOutage(stage, scene);
  },

  async measure(stage, { database, buyers, dead, parked, whileOff }) {
    const sent =
      stage.arm === 'naive'
        ? await countOf(database, 'sent')
        : (await noticesOf(buyers)).filter(n => n > 0).length;
    return { orders: stage.size.orders, dead, parked, whileOff, sent };
  },

  inWords: (naive, ours) =>
    `After an outage, ${naive.dead} of ${naive.orders} text messages of the naive consumer were dead letters for somebody to ` +
    `replay. Ours gave up ${ours.dead} and sent ${ours.sent} of ${ours.orders} by itself.`,
});

/** It works through the outage, and has nothing left to do when the gateway is back. */
async function naiveOutage({ shop, size }: Stage<Sized>, scene: Scene): Promise<void> {
  await until(
    'the naive consumer to have dealt with every order',
    async () => (await countOf(scene.database, 'sent')) + (await countOf(scene.database, 'dead_letter')),
    done => done >= size.orders,
    LONGEST_MS,
  );
  scene.dead = await countOf(scene.database, 'dead_letter');
  await shop.faults.repair('sms');
  // The shop's own notices go out now; the next arm begins when they have.
  await shop.audit();
}

/** It waits. An operator switches it off, and on again when the gateway is back. */
async function ourOutage(stage: Stage<Sized>, scene: Scene): Promise<void> {
  const { faults, client } = stage.shop;
  const state = await client.operator.untilSubscription(NOTICES, ({ waiting }) => waiting !== null);
  Object.assign(scene, { dead: state.dead, parked: state.parked });
  await client.operator.pause(NOTICES, 'the SMS gateway is being repaired');
  stage.mark('switched off');
  await faults.repair('sms');
  stage.mark('the SMS gateway is back');
  scene.whileOff = (await noticesOf(scene.buyers)).reduce((sum, count) => sum + count, 0);
  await client.operator.resume(NOTICES);
  stage.mark('switched on');
  await inParallel(scene.buyers, AT_ONCE, async buyer => {
    await buyer.untilNotices(1);
    stage.count('settled');
  });
}

async function noticesOf(buyers: readonly Buyer[]): Promise<number[]> {
  return inParallel(buyers, AT_ONCE, async buyer => (await buyer.notices()).length);
}

async function countOf(database: Pool, table: 'sent' | 'dead_letter'): Promise<number> {
  const { rows } = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]!.count;
}
