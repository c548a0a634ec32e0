import { describe, expect, it } from '@jest/globals';
import { eventually } from '#testkit';
import { DependencyUnavailable, isInfrastructureError } from '../runtime/infrastructure-error.js';
import { Dependency } from './dependency.js';

describe('a dependency', () => {
  const away = () => Promise.reject(new DependencyUnavailable('it', 'it answered 503'));

  it('is not called for a while after failures in a row, and then called until it answers', async () => {
    const dependency = new Dependency('it', { failures: 2, restMs: 20 });
    let calls = 0;
    let back = false;
    const work = async () => {
      calls += 1;
      return back ? 'done' : away();
    };
    for (let n = 0; n < 2; n += 1) await expect(dependency.call(work)).rejects.toThrow('503');
    const refused: unknown = await dependency.call(work).catch((error: unknown) => error);
    expect(calls).toBe(2);
    expect(isInfrastructureError(refused)).toBe(true);
    back = true;
    expect(
      await eventually(
        () => dependency.call(work).catch(() => undefined),
        answer => answer !== undefined,
      ),
    ).toBe('done');
  });

  it('is still called after it refused calls that are wrong', async () => {
    const dependency = new Dependency('it', { failures: 2, restMs: 60_000 });
    for (let n = 0; n < 5; n += 1) {
      await expect(dependency.call(() => Promise.reject(new Error('status 400')))).rejects.toThrow('400');
    }
    expect(await dependency.call(async () => 'done')).toBe('done');
  });
});
