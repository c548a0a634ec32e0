import { Controller, Inject, Ip, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { BuyerId, Text } from '#contracts';
import { Admit, DomainError } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { Problems } from '../problems/document-problems.js';
import { ZodBody } from '../problems/zod-body.js';
import { Access } from './access.js';
import { SignInBrake } from './sign-in-brake.js';
import { Tokens, WrongPassword } from './tokens.js';

/** The operator's user id, also for the operator's own orders. No shopper may sign in with it. */
const OPERATOR = '-operator-';

const SignIn = z.union(
  [
    z.strictObject({ userId: BuyerId.refine(id => id !== OPERATOR) }),
    z.strictObject({ adminPassword: Text.min(1).max(200) }),
  ],
  {
    error: 'send {"userId"} (1 to 64 of A–Z a–z 0–9 . _ -) as a shopper or {"adminPassword"} as an operator',
  },
);

export class DemoSignInOff extends DomainError {
  readonly code = 'demo_sign_in_off';
  constructor() {
    super('signing in without a password is turned off here');
  }
}

@ApiTags('sessions')
@Controller('api/sessions')
export class SessionsController {
  constructor(
    private readonly tokens: Tokens,
    private readonly brake: SignInBrake,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** Signs a shopper in, or an operator. */
  @Post()
  @Problems('wrong_password', 'demo_sign_in_off', 'too_many_attempts', 'too_many_requests')
  @Admit('route:sessions', { whenAway: 'admit' })
  @Access('anyone')
  signIn(@ZodBody(SignIn) body: z.output<typeof SignIn>, @Ip() address: string): { token: string } {
    if ('adminPassword' in body) {
      this.brake.admit(address);
      if (!this.tokens.isPassword(body.adminPassword)) {
        this.brake.countFailure(address);
        throw new WrongPassword();
      }
      return { token: this.tokens.issue({ userId: OPERATOR, role: 'operator' }) };
    }
    if (this.config.DEMO_SIGN_IN === 'off') throw new DemoSignInOff();
    return { token: this.tokens.issue({ userId: body.userId, role: 'shopper' }) };
  }
}
