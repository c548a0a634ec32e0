import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Outbox, sentChannel } from '#messaging';
import { startApp } from '../frame/nest-app.js';
import { mayCrash, placeAll } from './crash.js';
import { INSERT_ORDER, OrderPlaced } from './order-placed.js';

// #region ours
@Injectable()
export class PlaceOrder {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  async place(order: OrderPlaced): Promise<void> {
    await this.database.transaction(async tx => {
      await tx.query(INSERT_ORDER, [order.orderId]);
      await this.outbox.publish(tx, OrderPlaced, order);
      mayCrash('before the commit');
    });
    mayCrash('between commit and send');
  }
}
// #endregion

// The relay tells when it has sent rows and has not yet deleted them.
sentChannel.subscribe(() => mayCrash('after the send'));

const app = await startApp('publisher', { providers: [PlaceOrder] });
await placeAll(order => app.get(PlaceOrder).place(order));
// It leaves when the relay has sent what was committed.
await app.close();
process.disconnect();
