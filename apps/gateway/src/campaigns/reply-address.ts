import { type INestApplication, Inject, Injectable } from '@nestjs/common';
import { DependencyUnavailable } from '#messaging';
import { requestAddress, SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';

/** Where this gateway, and no other, gets replies. */
@Injectable()
export class ReplyAddress {
  private app: INestApplication | undefined;

  constructor(@Inject(SERVICE_CONFIG) private readonly config: GatewayConfig) {}

  /** Its servers are known once it has started. */
  learn(app: INestApplication): void {
    this.app = app;
  }

  /** `host:port`. @throws DependencyUnavailable while the gateway is starting */
  get(): string {
    const address = this.app && requestAddress(this.app, this.config.HOST);
    if (address === undefined) throw new DependencyUnavailable('this gateway', 'it is still starting');
    return address;
  }
}
