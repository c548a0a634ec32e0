import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { createSigner, createVerifier } from 'fast-jwt';
import { DomainError } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import type { Session } from './access.js';

const LIFETIME_MS = 12 * 3_600_000;
/** Maximum number of checked tokens to remember; the oldest is forgotten first. */
const REMEMBERED = 50_000;

export class InvalidToken extends DomainError {
  readonly code = 'invalid_token';
}

export class WrongPassword extends DomainError {
  readonly code = 'wrong_password';
  constructor() {
    super('the operator password is wrong; npm start prints it');
  }
}

/** Session tokens: JWT, HS256. */
@Injectable()
export class Tokens {
  private readonly sign: (payload: object) => string;
  private readonly check: (token: string) => { sub: string; role: Session['role']; exp: number };
  private readonly checked = new Map<string, { session: Session; expiresAt: number }>();
  private readonly password: Buffer;

  constructor(@Inject(SERVICE_CONFIG) config: GatewayConfig) {
    this.sign = createSigner({ key: config.SESSION_SECRET, algorithm: 'HS256', expiresIn: LIFETIME_MS });
    this.check = createVerifier({
      key: config.SESSION_SECRET,
      algorithms: ['HS256'],
      requiredClaims: ['sub', 'role', 'exp'],
    }) as typeof this.check;
    this.password = Buffer.from(config.OPERATOR_PASSWORD);
  }

  issue({ userId, role }: Session): string {
    return this.sign({ sub: userId, role });
  }

  /** @throws InvalidToken */
  read(header: string | undefined): Session {
    const known = header === undefined ? undefined : this.checked.get(header);
    if (known !== undefined && known.expiresAt > Date.now()) return known.session;
    const token = /^Bearer (\S+)$/.exec(header ?? '')?.[1];
    if (token === undefined)
      throw new InvalidToken('send "Authorization: Bearer <token>"; POST /api/sessions returns one');
    try {
      const { sub, role, exp } = this.check(token);
      return this.remember(header!, { userId: sub, role }, exp * 1_000);
    } catch {
      throw new InvalidToken('the token is invalid or expired; POST /api/sessions returns a new one');
    }
  }

  /** For routes that are open to anyone: an invalid or expired token counts as none. */
  readIfGood(header: string | undefined): Session | undefined {
    try {
      return header === undefined ? undefined : this.read(header);
    } catch {
      return undefined;
    }
  }

  private remember(header: string, session: Session, expiresAt: number): Session {
    if (this.checked.size >= REMEMBERED) this.checked.delete(this.checked.keys().next().value!);
    this.checked.set(header, { session, expiresAt });
    return session;
  }

  /** @throws WrongPassword */
  admit(password: string): void {
    const given = Buffer.from(password);
    if (given.length !== this.password.length || !timingSafeEqual(given, this.password))
      throw new WrongPassword();
  }
}
