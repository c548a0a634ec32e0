import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

const BLOCK = 'INSERT INTO blocked_buyer (buyer_id, reason) VALUES ($1, $2) ON CONFLICT DO NOTHING';

/** Buyers that are barred from flash sales. */
@Injectable()
export class BlockedBuyers {
  constructor(private readonly database: DataSource) {}

  /** Blocking a buyer again keeps the first reason. */
  async block(buyerId: string, reason: string): Promise<void> {
    await this.database.query(BLOCK, [buyerId, reason]);
  }
}
