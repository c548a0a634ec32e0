import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Post,
  type RawBodyRequest,
  Req,
} from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { SERVICE_CONFIG } from '#service-kit';
import { Faults } from '../faults/faults.js';
import type { SandboxConfig } from '../sandbox.config.js';
import { verified } from '../webhooks/verify.js';
import { Webhooks } from './webhooks.js';

/** A merchant's endpoint: checks each webhook's signature and accepts each id once. */
@Controller('merchant')
export class MerchantController {
  private readonly webhook: Webhook;

  constructor(
    private readonly webhooks: Webhooks,
    private readonly faults: Faults,
    @Inject(SERVICE_CONFIG) config: SandboxConfig,
  ) {
    this.webhook = new Webhook(config.MERCHANT_WEBHOOK_SECRET);
  }

  @Post('webhooks')
  @HttpCode(200)
  async take(
    @Headers() headers: Record<string, string>,
    @Body() body: { type?: string },
    @Req() request: RawBodyRequest<unknown>,
  ): Promise<{ taken: string }> {
    await this.faults.suffer('merchant');
    const text = verified(this.webhook, headers, request);
    const id = headers['webhook-id']!;
    await this.webhooks.accept(id, body.type ?? 'unknown', text);
    return { taken: id };
  }

  @Get('webhooks')
  async list(): Promise<unknown> {
    return this.webhooks.newest();
  }
}
