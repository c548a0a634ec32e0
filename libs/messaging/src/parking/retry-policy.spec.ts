import { describe, expect, it } from '@jest/globals';
import { failedAttempt } from './retry-policy.js';

describe('a failed attempt', () => {
  it('keeps what went wrong, whatever was thrown', () => {
    expect(failedAttempt(new Error('no')).error).toContain('Error: no\n');
    expect(failedAttempt('odd\0').error).toBe('odd\uFFFD');
    expect(failedAttempt('x'.repeat(10_000)).error).toHaveLength(4_000);
    expect(failedAttempt(`${'x'.repeat(3_999)}😀`).error.isWellFormed()).toBe(true);
    expect(failedAttempt(Object.create(null)).error).toContain('cannot be converted');
  });
});
