import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type DyingOrder, eventually, type FreezeAt, useParking } from '#testkit';

describe('an owner that freezes in the middle of its transaction', () => {
  const parking = useParking();
  const { consume, publish, progressIs } = parking;
  let child: ChildProcess | undefined;

  afterEach(async () => {
    child?.kill('SIGKILL');
    if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });

  const isFrozen = () =>
    execFileSync('ps', ['-o', 'state=', '-p', String(child!.pid)], { encoding: 'utf8' }).startsWith('T');

  it.each<FreezeAt>(['claimed', 'handled', 'settled'])(
    'is overtaken while it is frozen, and thawed, commits nothing: %s',
    async freezeAt => {
      await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 });
      const limits = { idleInTransactionMs: 1_000, lockMs: 500, statementMs: 30_000, silentMs: 30_000 };
      const order: DyingOrder = { ...parking.fixture.addresses, freezeAt, limits, retries: false };
      child = fork(resolve('dist/libs/testkit/src/dying-worker.js'), { stdio: 'ignore', execArgv: [] });
      child.send(order);
      await eventually(async () => isFrozen(), Boolean);
      await consume();
      await publish({ key: 'b', n: 3 });
      await progressIs({ handled: 3, parked: 0, dead: 0, discarded: 0 });
      expect(isFrozen()).toBe(true);
      child.kill('SIGCONT');
      await publish({ key: 'a', n: 4 });
      await progressIs({ handled: 4, parked: 0, dead: 0, discarded: 0 });
      expect(await parking.fixture.effects()).toEqual(['a1', 'a2', 'b3', 'a4']);
    },
  );
});
