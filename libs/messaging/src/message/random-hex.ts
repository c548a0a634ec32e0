import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(16 * 512);
let used = pool.length;

/** Random bytes in hex, at most 16, from a pool: asking the system for a few at a time costs more than they do. */
export function randomHex(bytes: number): string {
  return takeRandom(bytes).toString('hex');
}

/** The pool's next bytes; they are the caller's only until the next call. */
export function takeRandom(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.subarray(used, (used += bytes));
}
