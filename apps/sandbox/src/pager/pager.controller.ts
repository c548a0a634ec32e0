import { Controller, Get, Headers, HttpCode, Inject, Post, type RawBodyRequest, Req } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { SERVICE_CONFIG } from '#service-kit';
import { Faults } from '../faults/faults.js';
import type { SandboxConfig } from '../sandbox.config.js';
import { verified } from '../webhooks/verify.js';
import { Pages } from './pages.js';

/** The pager of the person on call: accepts each alert once. */
@Controller('pager')
export class PagerController {
  private readonly webhook: Webhook;

  constructor(
    private readonly pages: Pages,
    private readonly faults: Faults,
    @Inject(SERVICE_CONFIG) config: SandboxConfig,
  ) {
    this.webhook = new Webhook(config.ALERT_WEBHOOK_SECRET);
  }

  @Post()
  @HttpCode(200)
  async take(
    @Headers() headers: Record<string, string>,
    @Req() request: RawBodyRequest<unknown>,
  ): Promise<{ taken: string }> {
    await this.faults.suffer('pager');
    const text = verified(this.webhook, headers, request);
    const id = headers['webhook-id']!;
    await this.pages.accept(id, text);
    return { taken: id };
  }

  /** The newest first. */
  @Get()
  async list(): Promise<unknown> {
    return this.pages.newest();
  }
}
