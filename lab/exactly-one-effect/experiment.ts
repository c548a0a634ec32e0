import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { defineExperiment } from '../frame/experiment.js';
import type { LabProcess } from '../frame/lab-process.js';
import { messageOf, untilDone } from '../frame/messages.js';
import { GROUP, orderPaid, SCHEMA } from './order-paid.js';

interface Scene {
  readonly url: string;
  readonly database: Pool;
  /** Messages on the queue, copies included. */
  readonly appended: number;
}

const CONSUMERS = {
  naive: 'exactly-one-effect/naive-consumer',
  ours: 'exactly-one-effect/inbox-consumer',
};
/** Every so many messages, one is appended twice: as by a relay that died between sending and noting it. */
const COPIED = 5;
const BUYERS = 20;

export default defineExperiment({
  name: 'exactly-one-effect',
  question: 'Does every message have exactly one effect when messages come twice and consumers die?',
  arms: {
    naive: 'does the work, then lets the queue note that it is done',
    ours: 'writes the receipts in the transaction of the work (inbox)',
  },
  sizes: {
    small: { messages: 200, kills: 2 },
    full: { messages: 5_000, kills: 20 },
  },
  series: { awarded: 'Points awarded, as the handlers report them' },
  figures: {
    messages: 'different messages',
    copies: 'copies of them on the queue',
    kills: 'consumers killed',
    awarded: 'points awarded',
    twice: 'points too many',
    missing: 'messages without a point',
  },
  invariants: [
    { name: 'no message has a second effect', naive: 'breaks', holds: ({ twice }) => twice === 0 },
    { name: 'no message is without effect', naive: 'keeps', holds: ({ missing }) => missing === 0 },
  ],

  async scene(stage): Promise<Scene> {
    const database = await stage.database(SCHEMA);
    const queue = await stage.queue();
    const OrderPaid = orderPaid(stage.topic);
    await queue.ensureTopics([{ name: stage.topic, partitions: 4 }]);
    const messages = Array.from({ length: stage.size.messages }, (_, n) =>
      messageOf(OrderPaid, { orderId: randomUUID(), buyerId: `buyer-${n % BUYERS}` }),
    );
    const all = messages.flatMap((message, n) => (n % COPIED === 0 ? [message, message] : [message]));
    await queue.publish(all);
    return { ...database, appended: all.length };
  },

  /** Consumers work until everything is handled. One that is killed is replaced. */
  async load(stage, { url, appended }) {
    const { kills } = stage.size;
    let awarded = 0;
    for (let life = 0; life <= kills; life += 1) {
      const consumer = await stage.start(CONSUMERS[stage.arm], { DATABASE_URL: url });
      // It dies in the middle of its work.
      const last = life < kills ? ((life + 1) * appended) / (kills + 2) : Infinity;
      const dead = killWhen(consumer, by => {
        awarded += by;
        stage.count('awarded', by);
        stage.progress(awarded, appended);
        return awarded >= last;
      });
      if (life < kills) {
        await dead;
        stage.mark('a consumer is killed');
      } else {
        await untilDone(stage, GROUP);
      }
    }
  },

  async measure(stage, { database, appended }) {
    const { rows } = await database.query<{ points: string; orders: string }>(
      'SELECT count(*) AS points, count(DISTINCT order_id) AS orders FROM point',
    );
    const [points, orders] = [Number(rows[0]!.points), Number(rows[0]!.orders)];
    const { messages, kills } = stage.size;
    return {
      messages,
      copies: appended - messages,
      kills,
      awarded: points,
      twice: points - orders,
      missing: messages - orders,
    };
  },

  inWords: (naive, ours) =>
    `The naive consumer awarded ${naive.twice} points too many for ${naive.messages} messages: one for each copy, and some for each ` +
    `batch that came again after a crash. With the inbox it was ${ours.twice}.`,
});

/** `kill -9` as soon as what it reports is enough. Resolves when it is dead. */
async function killWhen(consumer: LabProcess, isEnough: (awarded: number) => boolean): Promise<void> {
  await new Promise<void>(resolve => {
    consumer.onReport(({ count = 0 }) => {
      if (isEnough(count) && consumer.isRunning) void consumer.kill().then(resolve);
    });
  });
}
