import { beforeEach, describe, expect, it } from '@jest/globals';
import { SignInBrake, TooManyAttempts } from './sign-in-brake.js';

describe('guessing of the password', () => {
  let brake: SignInBrake;

  beforeEach(() => {
    brake = new SignInBrake();
    for (let n = 0; n < 10; n += 1) {
      brake.admit('1.2.3.4', n);
      brake.countFailure('1.2.3.4', n);
    }
  });

  it('is slowed for its network after ten failures, and for no other', () => {
    expect(() => brake.admit('1.2.3.4', 100)).toThrow(TooManyAttempts);
    expect(() => brake.admit('::ffff:1.2.3.4', 100)).toThrow(TooManyAttempts);
    brake.admit('1.2.3.5', 100);
  });

  it('says when it may go on, and may then', () => {
    try {
      brake.admit('1.2.3.4', 30_000);
    } catch (error) {
      expect((error as TooManyAttempts).retryAfterSeconds).toBe(30);
    }
    brake.admit('1.2.3.4', 60_000);
  });

  it('counts all addresses of an IPv6 network together', () => {
    for (let n = 0; n < 10; n += 1) brake.countFailure(`2001:db8:1:2:${n}:1:1:1`, n);
    expect(() => brake.admit('2001:db8:1:2:ffff:1:1:1', 100)).toThrow(TooManyAttempts);
    brake.admit('2001:db8:1:3:1:1:1:1', 100);
  });
});
