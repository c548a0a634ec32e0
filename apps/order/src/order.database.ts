import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { type DatabaseConfig, databaseOptions } from '#service-kit';
import { CreateOrders1700000001000 } from './migrations/1700000001000-create-orders.js';
import { Order } from './order.entity.js';
import { Payment } from './payment/payment.entity.js';
import { Refund } from './payment/refund.entity.js';

export const orderMigrations = [...messagingMigrations, CreateOrders1700000001000];

export class OrderDatabase extends DataSource {
  constructor(config: DatabaseConfig) {
    super({ ...databaseOptions(config), entities: [Order, Payment, Refund], migrations: orderMigrations });
  }
}
