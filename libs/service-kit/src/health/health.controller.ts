import { Controller, Get, Header, HttpCode, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import type { RouteLimits } from '../http/route-config.js';
import { HealthChecks } from './health-checks.js';

interface Reply {
  status(code: number): unknown;
}

/** Where an app says whether it is ready. */
export const READY_PATH = 'health/ready';

/** Where access is checked, probes and scrapers have none. */
const ANYONE = { access: 'anyone' } as const satisfies RouteLimits;

@Controller()
export class HealthController {
  constructor(
    private readonly checks: HealthChecks,
    private readonly metrics: Registry,
  ) {}

  /** The process answers. */
  @Get('health/live')
  @RouteConfig(ANYONE)
  @HttpCode(200)
  live(): { status: string } {
    return { status: 'up' };
  }

  /** Everything it needs answers too; 503 with the reasons if not. */
  @Get(READY_PATH)
  @RouteConfig(ANYONE)
  async ready(@Res({ passthrough: true }) reply: Reply): Promise<unknown> {
    const { ready, checks } = await this.checks.run();
    reply.status(ready ? 200 : 503);
    return { status: ready ? 'up' : 'down', checks };
  }

  @Get('metrics')
  @RouteConfig(ANYONE)
  @Header('content-type', 'text/plain; version=0.0.4')
  async prometheus(): Promise<string> {
    return this.metrics.metrics();
  }
}
