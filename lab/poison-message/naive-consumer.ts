import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { queueAs, report, told } from '../frame/inside.js';
import { checkAddress } from './check-address.js';
import { GROUP, type OrderPaid, THANK } from './order-paid.js';

const database = new pg.Pool({ connectionString: told('DATABASE_URL') });
const queue = await queueAs('consumer');
const PAUSE_MS = 50;

// #region naive
async function thank(order: OrderPaid): Promise<void> {
  for (;;) {
    try {
      await checkAddress(order);
      await database.query(THANK, [order.buyerId, order.n]);
      return;
    } catch {
      // Tried again until it works. Everything behind it waits.
      await setTimeout(PAUSE_MS);
    }
  }
}
// #endregion

await queue.subscribe(
  { group: GROUP, topics: [told('LAB_TOPIC')], mode: 'competing', startFrom: 'start', maxBatch: 50 },
  async ({ messages }) => {
    for (const { payload } of messages) {
      await thank(JSON.parse(payload.toString()) as OrderPaid);
      await report({ kind: 'thanked' });
    }
  },
);
await report({ kind: 'ready' });
