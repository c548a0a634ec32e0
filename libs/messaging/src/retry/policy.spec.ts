import { describe, expect, it } from '@jest/globals';
import { attemptOf, DEFAULT_RETRY, pauseAfter } from './policy.js';

describe('a retry', () => {
  it('comes after a pause that doubles, up to the longest, half of it by chance', () => {
    const pauses = (random: number) => [1, 2, 3, 20].map(n => pauseAfter(n, DEFAULT_RETRY, random));
    expect(pauses(1)).toEqual([200, 400, 800, 60_000]);
    expect(pauses(0)).toEqual([100, 200, 400, 30_000]);
  });

  it('keeps what went wrong, whatever was thrown', () => {
    expect(attemptOf(new Error('no')).error).toContain('Error: no\n');
    expect(attemptOf('odd\0').error).toBe('odd\uFFFD');
    expect(attemptOf('x'.repeat(10_000)).error).toHaveLength(4_000);
    expect(attemptOf(`${'x'.repeat(3_999)}😀`).error.isWellFormed()).toBe(true);
    expect(attemptOf(Object.create(null)).error).toContain('cannot be told');
  });
});
