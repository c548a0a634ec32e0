import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '#messaging';

export class InvalidIdempotencyKey extends DomainError {
  readonly code = 'invalid_idempotency_key';
  constructor() {
    super(
      'Idempotency-Key: write 1 to 255 printable ASCII characters, with or without double quotes around them',
    );
  }
}

/**
 * The caller's key, as the header `Idempotency-Key` of the IETF's draft brings it: a quoted string. Without quotes it is
 * taken too, because most clients write it so.
 * @throws InvalidIdempotencyKey
 */
export function keyOf(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string') throw new InvalidIdempotencyKey();
  const [, quoted, bare] = /^(?:"((?:[^"\\]|\\["\\])*)"|([^"\\]*))$/.exec(header.trim()) ?? [];
  const key = quoted?.replaceAll(/\\(["\\])/g, '$1') ?? bare ?? '';
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) throw new InvalidIdempotencyKey();
  return key;
}

/** Where a key counts: for one caller, on one route. */
export function scopeOf(request: FastifyRequest, key: string): string {
  const { session, method, routeOptions } = request;
  return digest([session?.role, session?.userId, method, routeOptions.url, key]);
}

/** What a call says: its address and its body. Of a streamed body only the type; its content is compared afterward. */
export function fingerprintOf({ method, url, headers, body }: FastifyRequest, streamed: boolean): string {
  return digest([method, url, streamed ? headers['content-type'] : sorted(body ?? null)]);
}

/** The same JSON whatever the order of its names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, sorted(each)] as const);
  return entries.sort(([one], [other]) => (one < other ? -1 : 1));
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
