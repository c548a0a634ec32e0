import pg from 'pg';
import { queueAs, report, told } from '../frame/inside.js';
import { askTheWarehouse } from './ask-once.js';
import { APPLY, GROUP, type PriceChanged } from './price-changed.js';

const database = new pg.Pool({ connectionString: told('DATABASE_URL') });
const queue = await queueAs('consumer');

// #region naive
await queue.subscribe(
  { group: GROUP, topics: [told('LAB_TOPIC')], mode: 'competing', startFrom: 'start', maxBatch: 50 },
  async ({ messages }) => {
    for (const message of messages) {
      const change = JSON.parse(message.payload.toString()) as PriceChanged;
      try {
        await askTheWarehouse(change);
        await database.query(APPLY, [change.sku, change.version]);
        await report({ kind: 'applied' });
      } catch {
        // Back to the end of the queue, so that nothing waits: behind later changes of the same product.
        await queue.publish([message]);
      }
    }
  },
);
// #endregion
await report({ kind: 'ready' });
