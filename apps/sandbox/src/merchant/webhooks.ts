import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

const ACCEPT = `
INSERT INTO webhook (id, type, body) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET times = webhook.times + 1`;

const NEWEST = `
SELECT id, type, body, times, received_at AS "receivedAt" FROM webhook
ORDER BY received_at DESC LIMIT 100`;

/** The webhooks that the merchant accepted. A repeated one is counted and has no other effect. */
@Injectable()
export class Webhooks {
  constructor(private readonly database: DataSource) {}

  async accept(id: string, type: string, body: string): Promise<void> {
    await this.database.query(ACCEPT, [id, type, body]);
  }

  async newest(): Promise<unknown> {
    return this.database.query(NEWEST);
  }
}
