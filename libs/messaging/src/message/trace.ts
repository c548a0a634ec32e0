import { AsyncLocalStorage } from 'node:async_hooks';
import { randomHex } from './random-hex.js';

/** W3C Trace Context, level 1: `00-<32 hex trace id>-<16 hex parent id>-<2 hex flags>`. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const current = new AsyncLocalStorage<string>();

/** The trace that the running code belongs to, if any. */
export function currentTraceparent(): string | undefined {
  return current.getStore();
}

/**
 * Runs `work` as part of the given trace; a malformed or missing one starts a new trace, as the standard
 * requires.
 */
export function runInTrace<T>(traceparent: string | undefined, work: () => T): T {
  return current.run(childOf(traceparent), work);
}

/** The same trace, one step further down; a new trace when there is none. */
export function childOf(traceparent: string | undefined): string {
  const parent = randomHex(8);
  if (traceparent !== undefined && TRACEPARENT.test(traceparent)) {
    return `${traceparent.slice(0, 36)}${parent}${traceparent.slice(52)}`;
  }
  return `00-${randomHex(16)}-${parent}-01`;
}

/** Undefined if the traceparent is missing or malformed. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent.slice(3, 35) : undefined;
}

// The trace that each event of a batch came with, so that what an event causes joins its own trace and no
// other.
const origins = new WeakMap<object, string>();

export function rememberOrigin(event: unknown, traceparent: string | undefined): void {
  if (traceparent !== undefined && typeof event === 'object' && event !== null)
    origins.set(event, traceparent);
}

/** The trace that an event, or a request, arrived with. */
export function traceparentOf(event: unknown): string | undefined {
  return typeof event === 'object' && event !== null ? origins.get(event) : undefined;
}
