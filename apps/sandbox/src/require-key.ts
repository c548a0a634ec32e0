import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { SERVICE_CONFIG } from '#service-kit';
import type { SandboxConfig } from './sandbox.config.js';

/** Admits the provider's customer alone, by its API key: `Authorization: Bearer <key>`. */
export function RequireKey(name: 'PAYMENT_API_KEY' | 'SMS_API_KEY'): MethodDecorator {
  @Injectable()
  class KeyGuard implements CanActivate {
    constructor(@Inject(SERVICE_CONFIG) private readonly config: SandboxConfig) {}

    canActivate(context: ExecutionContext): boolean {
      const { headers } = context.switchToHttp().getRequest<{ headers: IncomingHttpHeaders }>();
      const given = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
      if (timingSafeEqual(sha256(given), sha256(this.config[name]))) return true;
      throw new UnauthorizedException('send your API key: Authorization: Bearer <key>');
    }
  }
  return UseGuards(KeyGuard) as MethodDecorator;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
