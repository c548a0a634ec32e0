import pg from 'pg';
import type { OrderPaid } from './order-paid.js';
import { queueAs, report, told } from '../frame/inside.js';
import { AWARD, GROUP } from './order-paid.js';

const database = new pg.Pool({ connectionString: told('DATABASE_URL') });
const queue = await queueAs('consumer');

// #region naive
await queue.subscribe(
  { group: GROUP, topics: [told('LAB_TOPIC')], mode: 'competing', startFrom: 'start', maxBatch: 20 },
  async ({ messages }) => {
    for (const { payload } of messages) {
      const { orderId, buyerId } = JSON.parse(payload.toString()) as OrderPaid;
      await database.query(AWARD, [orderId, buyerId]);
      await report({ kind: 'awarded', count: 1 });
    }
    // The queue notes the batch as done when this returns. A crash before it brings all of the batch again.
  },
);
// #endregion
await report({ kind: 'ready' });
