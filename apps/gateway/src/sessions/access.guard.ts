import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DomainError } from '#messaging';
import { ACCESS, type Role, type Session } from './access.js';
import { Tokens } from './tokens.js';

export class OperatorsOnly extends DomainError {
  readonly code = 'operators_only';
  constructor() {
    super('this is for operators; sign in with POST /api/sessions {"adminPassword"}');
  }
}

/** Admits the callers that the route's `@Access` names. An operator may do everything that a shopper may. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: Tokens,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const targets = [context.getHandler(), context.getClass()];
    const access = this.reflector.getAllAndOverride<Role | 'anyone' | undefined>(ACCESS, targets);
    const request = context
      .switchToHttp()
      .getRequest<{ url: string; headers: { authorization?: string }; session?: Session }>();
    if (access === 'anyone' || (access === undefined && !request.url.startsWith('/api'))) return true;
    const session = this.tokens.read(request.headers.authorization);
    if (access !== 'shopper' && session.role !== 'operator') throw new OperatorsOnly();
    request.session = session;
    return true;
  }
}
