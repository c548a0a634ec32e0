import { BadRequestException, Body, Controller, Get, Headers, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { Text } from '#contracts';
import { RequireKey } from '../require-key.js';
import { Faults } from '../faults/faults.js';
import { TextMessages } from './text-messages.js';

const Sms = z.object({ to: Text.min(1).max(64), text: Text.min(1).max(1_000) });

/** An SMS gateway that accepts each id once, and a phone to read the messages on. */
@Controller('sms')
export class SmsController {
  constructor(
    private readonly messages: TextMessages,
    private readonly faults: Faults,
  ) {}

  @Post()
  @RequireKey('SMS_API_KEY')
  async send(
    @Headers('idempotency-key') id: string | undefined,
    @Body() body: unknown,
  ): Promise<{ id: string }> {
    await this.faults.suffer('sms');
    const sms = Sms.safeParse(body);
    if (!id || !sms.success)
      throw new BadRequestException('an SMS needs the header idempotency-key, {"to"} and {"text"}');
    await this.messages.receive(id, sms.data.to, sms.data.text);
    return { id };
  }

  @Get()
  async inbox(@Query('to') to: string | undefined): Promise<unknown> {
    return this.messages.newest(to);
  }
}
