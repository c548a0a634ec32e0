import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { queueAs, told } from '../frame/inside.js';
import { messageOf } from '../frame/messages.js';
import { mayCrash, placeAll } from './crash.js';
import { INSERT_ORDER, OrderPlaced } from './order-placed.js';

const database = new DataSource({ type: 'postgres', url: told('DATABASE_URL') });
await database.initialize();
const queue = await queueAs('publisher');
await queue.ensureTopics([{ name: OrderPlaced.topic, partitions: 4 }]);

// #region naive
async function place(order: OrderPlaced): Promise<void> {
  await database.transaction(async tx => {
    await tx.query(INSERT_ORDER, [order.orderId]);
    mayCrash('before the commit');
  });
  mayCrash('between commit and send');
  await queue.publish([messageOf(OrderPlaced, order)]);
  mayCrash('after the send');
}
// #endregion

await placeAll(place);
await queue.close();
await database.destroy();
process.disconnect();
