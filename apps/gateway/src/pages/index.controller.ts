import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { indexPage } from './index-page.js';

@ApiExcludeController()
@Controller()
export class IndexController {
  constructor(@Inject(SERVICE_CONFIG) private readonly config: GatewayConfig) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  index(): string {
    return indexPage(this.config.SANDBOX_PUBLIC_URL, this.config.SLUICE_INSTANCES);
  }
}
