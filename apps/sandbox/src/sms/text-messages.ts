import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

const RECEIVE = `
INSERT INTO sms (id, recipient, text) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET times = sms.times + 1`;

const NEWEST = `
SELECT id, recipient AS to, text, times, received_at AS "receivedAt" FROM sms
WHERE $1::text IS NULL OR recipient = $1 ORDER BY received_at DESC LIMIT 100`;

/** The text messages that arrived. A repeated one is counted and has no other effect. */
@Injectable()
export class TextMessages {
  constructor(private readonly database: DataSource) {}

  async receive(id: string, to: string, text: string): Promise<void> {
    await this.database.query(RECEIVE, [id, to, text]);
  }

  /** @param to the recipient; of all recipients when it is missing */
  async newest(to: string | undefined): Promise<unknown> {
    return this.database.query(NEWEST, [to ?? null]);
  }
}
