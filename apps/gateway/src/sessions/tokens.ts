import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { createSigner, createVerifier } from 'fast-jwt';
import { BoundedMap, DomainError } from '#messaging';
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
  private readonly check: (token: string) => {
    sub: string;
    role: Session['role'];
    exp: number;
    pwd?: string;
  };
  private readonly checked = new BoundedMap<string, { session: Session; expiresAt: number }>(REMEMBERED);
  private readonly password: Buffer;
  /** An operator's token holds only while the password is the one that it was issued for. */
  private readonly passwordMark: string;

  constructor(@Inject(SERVICE_CONFIG) config: GatewayConfig) {
    this.sign = createSigner({ key: config.SESSION_SECRET, algorithm: 'HS256', expiresIn: LIFETIME_MS });
    this.check = createVerifier({
      key: config.SESSION_SECRET,
      algorithms: ['HS256'],
      requiredClaims: ['sub', 'role', 'exp'],
    }) as typeof this.check;
    this.password = sha256(config.OPERATOR_PASSWORD);
    this.passwordMark = createHmac('sha256', config.SESSION_SECRET)
      .update(`password ${config.OPERATOR_PASSWORD}`)
      .digest('base64url');
  }

  issue({ userId, role }: Session): string {
    return this.sign({ sub: userId, role, ...(role === 'operator' && { pwd: this.passwordMark }) });
  }

  /** @throws InvalidToken */
  read(header: string | undefined): Session {
    const known = header === undefined ? undefined : this.checked.get(header);
    if (known !== undefined && known.expiresAt > Date.now()) return known.session;
    const token = /^bearer +(\S+)$/i.exec(header ?? '')?.[1];
    if (token === undefined)
      throw new InvalidToken('send "Authorization: Bearer <token>"; POST /api/sessions returns one');
    try {
      const { sub, role, exp, pwd } = this.check(token);
      if (role === 'operator' && pwd !== this.passwordMark) throw new Error('the password has changed');
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
    this.checked.set(header, { session, expiresAt });
    return session;
  }

  /** Whether it is the operator's. The time that this takes tells nothing. */
  isPassword(password: string): boolean {
    return timingSafeEqual(sha256(password), this.password);
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
