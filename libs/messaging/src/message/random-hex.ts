import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(16 * 512);
let used = pool.length;

/** Random bytes in hex, at most 16, from a pool: a system call for every few bytes would cost too much. */
export function randomHex(bytes: number): string {
  return takeRandom(bytes).toString('hex');
}

/** The pool's next bytes, valid only until the next call. */
export function takeRandom(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.subarray(used, (used += bytes));
}
