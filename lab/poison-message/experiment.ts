import type { Pool } from 'pg';
import { until } from '#shop-kit';
import { defineExperiment } from '../frame/experiment.js';
import { messageOf } from '../frame/messages.js';
import { orderPaid, POISONED, SCHEMA } from './order-paid.js';

interface Scene {
  readonly url: string;
  readonly database: Pool;
  /** How many of the messages are of other buyers. */
  readonly others: number;
  /** How many of those had their effect before the repair. */
  before: number;
}

const CONSUMERS = { naive: 'poison-message/naive-consumer', ours: 'poison-message/parking-consumer' };
const LONGEST_MS = 120_000;
const COUNT = 'SELECT count(*)::int AS count FROM';
const OTHERS = `${COUNT} thanked WHERE buyer_id <> '${POISONED}'`;

export default defineExperiment({
  name: 'poison-message',
  question: 'Whom does a message hold up that cannot be handled?',
  arms: {
    naive: 'tries it again in place until it works',
    ours: 'parks it with its key; everything else flows',
  },
  sizes: {
    small: { buyers: 20, messagesEach: 5, attemptsBeforeRepair: 30 },
    full: { buyers: 200, messagesEach: 20, attemptsBeforeRepair: 200 },
  },
  series: { thanked: 'Messages handled' },
  figures: {
    messages: 'messages',
    others: '… of other buyers',
    before: '… handled while the poison message could not be',
    attempts: 'attempts at the poison message',
    handled: 'messages handled in the end',
    outOfOrder: 'messages of the poisoned buyer out of order',
  },
  invariants: [
    {
      name: 'other keys do not wait for it',
      naive: 'breaks',
      holds: ({ before, others }) => before === others,
    },
    {
      name: 'after the repair, everything is handled once',
      naive: 'keeps',
      holds: ({ handled, messages }) => handled === messages,
    },
    { name: 'its own key stays in order', naive: 'keeps', holds: ({ outOfOrder }) => outOfOrder === 0 },
  ],

  async scene(stage): Promise<Scene> {
    const database = await stage.database(SCHEMA);
    const queue = await stage.queue();
    const OrderPaid = orderPaid(stage.topic);
    await queue.ensureTopics([{ name: stage.topic, partitions: 1 }]);
    const { buyers, messagesEach } = stage.size;
    for (let n = 0; n < messagesEach; n += 1) {
      const orders = Array.from({ length: buyers }, (_, buyer) => ({ buyerId: `buyer-${buyer}`, n }));
      await queue.publish(orders.map(order => messageOf(OrderPaid, order)));
    }
    return { ...database, others: (buyers - 1) * messagesEach, before: 0 };
  },

  async load(stage, { url, database }) {
    const { buyers, messagesEach } = stage.size;
    const total = buyers * messagesEach;
    const consumer = await stage.start(CONSUMERS[stage.arm], { DATABASE_URL: url });
    let thanked = 0;
    consumer.onReport(({ kind }) => {
      if (kind !== 'thanked') return;
      stage.count('thanked');
      stage.progress((thanked += 1), total);
    });
    await until(
      'everything to be handled',
      () => countOf(database, `${COUNT} thanked`),
      n => n >= total,
      LONGEST_MS,
    );
    await consumer.stop();
  },

  /** Somebody repairs the data when all others are served, or when it has failed so often that they never will be. */
  async faults(stage, scene) {
    const { database, others } = scene;
    const { attemptsBeforeRepair } = stage.size;
    const look = async () => ({
      served: await countOf(database, OTHERS),
      attempts: await countOf(database, `${COUNT} attempt`),
    });
    const isTime = ({ served, attempts }: Awaited<ReturnType<typeof look>>) =>
      served === others || (attempts >= attemptsBeforeRepair && served === 0);
    const { served } = await until('the time of the repair', look, isTime, LONGEST_MS);
    scene.before = served;
    stage.mark('the data are repaired');
    await database.query('INSERT INTO repaired VALUES (now())');
  },

  async measure(stage, { database, others, before }) {
    const { buyers, messagesEach } = stage.size;
    const { rows } = await database.query<{ n: number }>(
      'SELECT n FROM thanked WHERE buyer_id = $1 ORDER BY id',
      [POISONED],
    );
    return {
      messages: buyers * messagesEach,
      others,
      before,
      attempts: await countOf(database, `${COUNT} attempt`),
      handled: await countOf(database, `${COUNT} thanked`),
      outOfOrder: rows.filter(({ n }, at) => n !== at).length,
    };
  },

  inWords: (naive, ours) =>
    `Tried again in place, it let ${naive.before} of ${naive.others} messages of other buyers through in ${naive.attempts} attempts. ` +
    `Parked, it let ${ours.before} of ${ours.others} through.`,
});

async function countOf(database: Pool, sql: string): Promise<number> {
  return (await database.query<{ count: number }>(sql)).rows[0]!.count;
}
