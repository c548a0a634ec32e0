import { isIPv6 } from 'node:net';
import { Injectable, Logger } from '@nestjs/common';
import { BoundedMap, DomainError } from '#messaging';

/** Wrong passwords from one network in the window; after them, each further attempt waits, right or wrong. */
const ATTEMPTS = 10;
const WINDOW_MS = 60_000;
/** Networks remembered; the oldest is forgotten first. */
const NETWORKS = 10_000;

export class TooManyAttempts extends DomainError {
  readonly code = 'too_many_attempts';
  constructor(readonly retryAfterSeconds: number) {
    super(`too many wrong passwords; try again in ${retryAfterSeconds} s`);
  }
}

/**
 * Slows guessing of the operator's password. Only failures count: thousands of shoppers may sign in from one address.
 */
@Injectable()
export class SignInBrake {
  private readonly logger = new Logger(SignInBrake.name);
  private readonly failed = new BoundedMap<string, { count: number; until: number }>(NETWORKS);

  /** @throws TooManyAttempts */
  admit(address: string, now: number = performance.now()): void {
    const seen = this.failed.get(networkOf(address));
    if (seen === undefined || seen.until <= now || seen.count < ATTEMPTS) return;
    throw new TooManyAttempts(Math.ceil((seen.until - now) / 1_000));
  }

  countFailure(address: string, now: number = performance.now()): void {
    const network = networkOf(address);
    const seen = this.failed.get(network);
    const isOpen = seen !== undefined && seen.until > now;
    const count = (isOpen ? seen.count : 0) + 1;
    this.failed.set(network, { count, until: isOpen ? seen.until : now + WINDOW_MS });
    this.logger.warn(`wrong operator password from ${address}, ${count} of ${ATTEMPTS}`);
  }
}

/** Whoever has one IPv6 address has its /64. Its short forms count apart, which only makes the brake stricter. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIPv6(plain) ? plain.split(':').slice(0, 4).join(':') : plain;
}
