import { setTimeout } from 'node:timers/promises';
import { HttpException, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { z } from 'zod';
import { DataSource } from 'typeorm';

export const Part = z.enum(['payment', 'sms', 'merchant', 'pager']);
export type Part = z.output<typeof Part>;

export const Fault = z.strictObject({
  /** How long its answers and callbacks are delayed, in ms. */
  delayMs: z.int().min(0).max(600_000).default(0),
  /** The share of calls that fail, 0 to 1. */
  failRate: z.number().min(0).max(1).default(0),
  /** The status of a failed call: 500 and above, and 429, mean an outage; any other, a refusal. */
  failStatus: z.int().min(400).max(599).default(503),
  /** How many extra times a callback is sent. */
  duplicates: z.int().min(0).max(20).default(0),
});
export type Fault = z.output<typeof Fault>;

const NONE: Fault = { delayMs: 0, failRate: 0, failStatus: 503, duplicates: 0 };

/** How the outside world misbehaves, part by part. Kept across restarts. */
@Injectable()
export class Faults implements OnApplicationBootstrap {
  private readonly faults = new Map<Part, Fault>();

  constructor(private readonly database: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    const rows = (await this.database.query(
      'SELECT part, delay_ms AS "delayMs", fail_rate AS "failRate", fail_status AS "failStatus", duplicates FROM fault',
    )) as (Fault & { part: Part })[];
    for (const { part, ...fault } of rows) this.faults.set(part, fault);
  }

  of(part: Part): Fault {
    return this.faults.get(part) ?? NONE;
  }

  async set(part: Part, fault: Fault): Promise<void> {
    await this.database.query(
      `INSERT INTO fault (part, delay_ms, fail_rate, fail_status, duplicates) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (part) DO UPDATE SET delay_ms = $2, fail_rate = $3, fail_status = $4, duplicates = $5`,
      [part, fault.delayMs, fault.failRate, fault.failStatus, fault.duplicates],
    );
    this.faults.set(part, fault);
  }

  /** Delays a call or fails it, as configured for the part. */
  async suffer(part: Part): Promise<void> {
    const { delayMs, failRate, failStatus } = this.of(part);
    if (delayMs > 0) await setTimeout(delayMs);
    if (Math.random() < failRate) throw new HttpException(`the sandbox's ${part} is set to fail`, failStatus);
  }
}
