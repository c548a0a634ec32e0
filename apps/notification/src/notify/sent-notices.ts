import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ListNotices } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import type { Notice } from './notices.js';

const INSERT = `
INSERT INTO notice (id, cause_id, order_id, kind, channel, buyer_id, text)
SELECT id, "causeId", "orderId", kind, 'sms', "buyerId", text
FROM json_to_recordset($1::json) AS n(id uuid, "causeId" uuid, "orderId" uuid, kind text, "buyerId" text, text text)`;

const LIST = `
SELECT order_id AS "orderId", kind, channel, text, sent_at AS at FROM notice
WHERE buyer_id = $1 ORDER BY sent_at DESC, kind LIMIT $2`;

/** The notices that buyers were sent. */
@Injectable()
export class SentNotices {
  constructor(private readonly database: DataSource) {}

  async add(tx: EntityManager, notices: readonly Notice[]): Promise<void> {
    await tx.query(INSERT, [JSON.stringify(notices)]);
  }

  /** The newest first. */
  async list({ buyerId, limit }: RequestOf<typeof ListNotices>): Promise<ReplyOf<typeof ListNotices>> {
    const notices = (await this.database.query(LIST, [buyerId, limit])) as {
      orderId: string;
      kind: string;
      channel: string;
      text: string;
      at: Date;
    }[];
    return { notices: notices.map(each => ({ ...each, at: each.at.toISOString() })) };
  }
}
