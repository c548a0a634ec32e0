import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

const ACCEPT = `
INSERT INTO page (id, body) VALUES ($1, $2::jsonb)
ON CONFLICT (id) DO UPDATE SET times = page.times + 1`;

const NEWEST = `
SELECT id, body, times, received_at AS "receivedAt" FROM page
ORDER BY received_at DESC, id DESC LIMIT 100`;

/** The alerts that the pager accepted. A repeated one is counted and has no other effect. */
@Injectable()
export class Pages {
  constructor(private readonly database: DataSource) {}

  async accept(id: string, body: string): Promise<void> {
    await this.database.query(ACCEPT, [id, body]);
  }

  async newest(): Promise<unknown> {
    return this.database.query(NEWEST);
  }
}
