import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

const INSERT = `
INSERT INTO delivery (webhook_id, order_id, type, endpoint)
SELECT id, order_id, $2, $3 FROM unnest($1::text[], $4::uuid[]) AS d(id, order_id)`;

/** The webhooks that merchants were sent. */
@Injectable()
export class DeliveryLog {
  /** @param webhookIds of the deliveries, one for each order */
  async add(
    tx: EntityManager,
    webhookIds: readonly string[],
    orderIds: readonly string[],
    type: string,
    endpoint: string,
  ): Promise<void> {
    await tx.query(INSERT, [webhookIds, type, endpoint, orderIds]);
  }
}
