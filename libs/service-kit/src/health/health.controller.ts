import { Controller, Get, Header, HttpCode, Res } from '@nestjs/common';
import { Registry } from 'prom-client';
import { HealthChecks } from './health-checks.js';

interface Reply {
  status(code: number): unknown;
}

/** Where an app says whether it is ready. */
export const READY_PATH = 'health/ready';

@Controller()
export class HealthController {
  constructor(
    private readonly checks: HealthChecks,
    private readonly metrics: Registry,
  ) {}

  /** The process answers. */
  @Get('health/live')
  @HttpCode(200)
  live(): { status: string } {
    return { status: 'up' };
  }

  /** Everything it needs answers too; 503 with the reasons if not. */
  @Get(READY_PATH)
  async ready(@Res({ passthrough: true }) reply: Reply): Promise<unknown> {
    const { ready, checks } = await this.checks.run();
    reply.status(ready ? 200 : 503);
    return { status: ready ? 'up' : 'down', checks };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4')
  async prometheus(): Promise<string> {
    return this.metrics.metrics();
  }
}
