import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { Access } from '../sessions/access.js';
import { ServiceDirectory } from '../services/service-directory.js';
import { INDEX_POLICY, indexPage } from './index-page.js';

@ApiExcludeController()
@Access('anyone')
@Controller()
export class IndexController {
  constructor(
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
    private readonly directory: ServiceDirectory,
  ) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', INDEX_POLICY)
  index(): string {
    const known = this.directory.services.map(service => this.directory.describe(service));
    return indexPage(this.config.SANDBOX_PUBLIC_URL, known);
  }
}
