import { describe, expect, it } from '@jest/globals';
import { readArguments } from './arguments.js';

describe('the arguments of a start', () => {
  it('open the lab where they say so, and never in production', () => {
    expect(readArguments([], {}).lab).toBe(false);
    expect(readArguments(['--lab'], {}).lab).toBe(true);
    expect(() => readArguments(['--lab'], { NODE_ENV: 'production' })).toThrow('--lab is for experiments');
  });
});
