import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { formatMoney, type NaiveBooks, type NaivelyBought } from '#contracts';
import { SmsGateway } from '../notify/sms-gateway.js';

/** Such ids tell the provider's other messages from these: the audit judges them apart. */
const PREFIX = 'naive-';

const NOTE = `
INSERT INTO naive_text (order_id, campaign_id, buyer_id, quantity) VALUES ($1, $2, $3, $4)
ON CONFLICT (order_id) DO NOTHING`;

const BOOKS = `
SELECT campaign_id AS "campaignId", count(*)::int AS orders, sum(quantity)::int AS units
FROM naive_text GROUP BY campaign_id ORDER BY campaign_id`;

/** The fourth of the five steps of the naive way: the buyer waits for the SMS provider. */
@Injectable()
export class NaiveTexts {
  constructor(
    private readonly database: DataSource,
    private readonly sms: SmsGateway,
  ) {}

  async send({
    orderId,
    campaignId,
    buyerId,
    quantity,
    unitPriceMinor,
    currency,
  }: NaivelyBought): Promise<void> {
    const total = formatMoney(quantity * unitPriceMinor, currency);
    await this.sms.send(`${PREFIX}${orderId}`, buyerId, `Your order ${orderId} over ${total} is placed.`);
    await this.database.query(NOTE, [orderId, campaignId, buyerId, quantity]);
  }

  async books(): Promise<NaiveBooks> {
    return { campaigns: (await this.database.query(BOOKS)) as NaiveBooks['campaigns'] };
  }
}
