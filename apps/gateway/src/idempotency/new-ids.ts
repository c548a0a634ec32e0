import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { uuidv7 } from '#messaging';

declare module 'fastify' {
  interface FastifyRequest {
    newIds?: NewIds;
  }
}

/** The ids of what a call creates. */
export interface NewIds {
  /** A call before this one may have created them already: it came with the same key and got no answer. */
  readonly again: boolean;
  next(): string;
}

const FRESH: NewIds = { again: false, next: () => uuidv7() };

/**
 * Ids that follow from a seed, so that a call that is repeated creates the same things. They are as time-ordered as their
 * seed (RFC 9562, version 7); the rest of each is a hash.
 */
export function idsFrom(seed: string, again: boolean): NewIds {
  let count = 0;
  return {
    again,
    next() {
      const bytes = createHash('sha256')
        .update(`${seed} ${(count += 1)}`)
        .digest();
      bytes.write(seed.replaceAll('-', '').slice(0, 12), 'hex');
      bytes[6] = (bytes[6]! & 0x0f) | 0x70;
      bytes[8] = (bytes[8]! & 0x3f) | 0x80;
      const hex = bytes.toString('hex', 0, 16);
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
  };
}

/** The ids of what this call creates: new ones, or those that its idempotency key stands for. */
export const CallIds = createParamDecorator(
  (_: unknown, context: ExecutionContext): NewIds =>
    context.switchToHttp().getRequest<FastifyRequest>().newIds ?? FRESH,
);
