import { BadRequestException, Body, Controller, Get, Headers, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { DataSource } from 'typeorm';
import { Faults } from '../faults/faults.js';

const Sms = z.object({ to: z.string().min(1), text: z.string().min(1).max(1_000) });

/** An SMS gateway that accepts each id once, and a phone to read the messages on. */
@Controller('sms')
export class SmsController {
  constructor(
    private readonly database: DataSource,
    private readonly faults: Faults,
  ) {}

  @Post()
  async send(
    @Headers('idempotency-key') id: string | undefined,
    @Body() body: unknown,
  ): Promise<{ id: string }> {
    await this.faults.suffer('sms');
    const sms = Sms.safeParse(body);
    if (!id || !sms.success)
      throw new BadRequestException('an SMS needs the header idempotency-key, {"to"} and {"text"}');
    await this.database.query(
      'INSERT INTO sms (id, recipient, text) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET times = sms.times + 1',
      [id, sms.data.to, sms.data.text],
    );
    return { id };
  }

  @Get()
  async inbox(@Query('to') to: string | undefined): Promise<unknown> {
    return this.database.query(
      `SELECT id, recipient AS to, text, times, received_at AS "receivedAt" FROM sms
       WHERE $1::text IS NULL OR recipient = $1 ORDER BY received_at DESC LIMIT 100`,
      [to ?? null],
    );
  }
}
