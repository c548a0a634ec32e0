import { CreateKeyedCalls1700000000100 } from '#idempotency';
import { messagingMigrations } from '#messaging';
import { CreateOrders1700000001000 } from './migrations/1700000001000-create-orders.js';
import { AddCompletedAt1700000001001 } from './migrations/1700000001001-add-completed-at.js';
import { NaiveOrders1700000001002 } from './migrations/1700000001002-naive-orders.js';
import { Order } from './order.entity.js';
import { Payment } from './payment/payment.entity.js';
import { Refund } from './payment/refund.entity.js';

/** The tables of the service, and its entities. */
export const orderDatabase = {
  entities: [Order, Payment, Refund],
  migrations: [
    ...messagingMigrations,
    CreateKeyedCalls1700000000100,
    CreateOrders1700000001000,
    AddCompletedAt1700000001001,
    NaiveOrders1700000001002,
  ],
};
