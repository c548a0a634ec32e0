import type { Pool } from 'pg';
import { z } from 'zod';
import { defineExperiment } from '../frame/experiment.js';
import { readAll } from '../frame/messages.js';
import { pointOf } from './points.js';

interface Scene {
  readonly url: string;
  readonly database: Pool;
}

const PLACED = 'CREATE TABLE placed (order_id uuid PRIMARY KEY)';
const Placed = z.object({ orderId: z.uuid() });
const PUBLISHERS = {
  naive: 'transactional-publish/naive-publisher',
  ours: 'transactional-publish/outbox-publisher',
};

export default defineExperiment({
  name: 'transactional-publish',
  question: 'Does every committed order get its message when the publisher crashes?',
  arms: {
    naive: 'commits the order, then sends the message',
    ours: 'writes the message in the order’s transaction (outbox); a relay sends it',
  },
  sizes: {
    small: { crashes: 3, ordersPerCrash: 5 },
    full: { crashes: 30, ordersPerCrash: 20 },
  },
  series: { placed: 'Orders placed' },
  figures: {
    crashes: 'crashes',
    between: '… of them between commit and send',
    committed: 'orders committed',
    lost: 'committed orders whose message never came',
    phantoms: 'messages without an order',
    copies: 'messages that came a second time',
  },
  invariants: [
    { name: 'every committed order has its message', naive: 'breaks', holds: ({ lost }) => lost === 0 },
    { name: 'no message without its order', naive: 'keeps', holds: ({ phantoms }) => phantoms === 0 },
  ],

  async scene(stage): Promise<Scene> {
    return stage.database(PLACED);
  },

  // The load is the faults: a publisher lives until it crashes, then the next one goes on.
  async load(stage, { url }) {
    const { crashes, ordersPerCrash } = stage.size;
    for (let life = 0; life <= crashes; life += 1) {
      const point = life < crashes ? pointOf(life) : 'never';
      const publisher = await stage.start(PUBLISHERS[stage.arm], {
        DATABASE_URL: url,
        LAB_ORDERS: String(ordersPerCrash),
        LAB_CRASH: point,
      });
      publisher.onReport(() => stage.count('placed'));
      const signal = await publisher.ended();
      if ((signal === 'SIGKILL') !== (point !== 'never'))
        throw new Error(`a publisher that was to crash ${point} ended by ${signal ?? 'itself'}`);
      if (point !== 'never') stage.mark(`crash ${point}`);
      stage.progress(life, crashes);
    }
  },

  async measure(stage, { database }) {
    const { rows } = await database.query<{ order_id: string }>('SELECT order_id FROM placed');
    const committed = new Set(rows.map(row => row.order_id));
    const messages = (await readAll(stage)).map(
      ({ payload }) => Placed.parse(JSON.parse(payload.toString())).orderId,
    );
    const told = new Set(messages);
    const { crashes } = stage.size;
    return {
      crashes,
      between: Array.from({ length: crashes }, (_, n) => pointOf(n)).filter(
        point => point === 'between commit and send',
      ).length,
      committed: committed.size,
      lost: missingFrom(told, committed),
      phantoms: missingFrom(committed, told),
      copies: messages.length - told.size,
    };
  },

  inWords: (naive, ours) =>
    `The naive publisher lost ${naive.lost} of ${naive.committed} messages: one for each crash between commit and send. ` +
    `The outbox lost ${ours.lost}; ${ours.copies} messages came twice, which the inbox absorbs.`,
});

/** How many of these are not in the set. */
function missingFrom(set: ReadonlySet<string>, these: Iterable<string>): number {
  return [...these].filter(each => !set.has(each)).length;
}
