import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderCancelled, OrderPaid } from '#contracts';
import { Handle } from '#messaging';
import { DeliveryLog } from './delivery-log.js';
import { MerchantEndpoint } from './merchant-endpoint.js';

/**
 * Notifies the merchant, by webhook, of paid and cancelled orders. It posts before the commit: a crash
 * between the two posts again under the same webhook id, by which the merchant recognizes the duplicate.
 */
@Controller()
export class DeliverWebhooksHandler {
  constructor(
    private readonly endpoint: MerchantEndpoint,
    private readonly log: DeliveryLog,
  ) {}

  @Handle(OrderPaid, { name: 'merchant-notifier.follow-order', batch: 50 })
  async paid(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    await this.deliver('order.paid', events, tx);
  }

  @Handle(OrderCancelled, { name: 'merchant-notifier.follow-order', batch: 50 })
  async cancelled(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    await this.deliver('order.cancelled', events, tx);
  }

  private async deliver(
    type: 'order.paid' | 'order.cancelled',
    events: readonly (OrderPaid | OrderCancelled)[],
    tx: EntityManager,
  ): Promise<void> {
    const ids = events.map(({ orderId }) => `${type}/${orderId}`);
    const orderIds = events.map(event => event.orderId);
    await this.log.add(tx, ids, orderIds, type, this.endpoint.url);
    await Promise.all(events.map((event, n) => this.endpoint.post(ids[n]!, type, event)));
  }
}
