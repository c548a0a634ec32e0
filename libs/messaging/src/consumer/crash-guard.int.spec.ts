import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Death, type DyingOrder, useParking } from '#testkit';

describe('a message whose handler ends its process', () => {
  const parking = useParking();
  const { publish, progressIs, dead } = parking;
  let child: ChildProcess | undefined;
  let stopped = false;
  let deaths = 0;

  afterEach(async () => {
    stopped = true;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  /** A process that is started again whenever it ends. */
  function keepRunning(death: Death, retries: boolean): void {
    [stopped, deaths] = [false, 0];
    const order: DyingOrder = { ...parking.fixture.addresses, death, retries };
    const start = () => {
      child = fork(resolve('dist/libs/testkit/src/dying-worker.js'), {
        stdio: 'ignore',
        execArgv: [],
      });
      child.once('exit', () => {
        deaths += 1;
        if (!stopped) start();
      });
      child.send(order);
    };
    start();
  }

  it.each<Death>(['exit', 'rejection', 'timer'])(
    'is parked after a few deaths, and other keys go on: %s',
    async death => {
      await publish({ key: 'a', n: 1 }, { key: 'poison', n: 2 }, { key: 'b', n: 3 }, { key: 'poison', n: 4 });
      await publish({ key: 'a', n: 5 });
      keepRunning(death, false);
      await progressIs({ handled: 3, parked: 2, dead: 0, discarded: 0 });
      expect(await parking.fixture.effects()).toEqual(['a1', 'b3', 'a5']);
      expect(deaths).toBeLessThanOrEqual(4);
      const [first] = (await parking.fixture.database.query(
        'SELECT errors FROM messaging.parked ORDER BY position LIMIT 1',
      )) as [{ errors: { error: string }[] }];
      expect(first.errors[0]!.error).toContain('the process ended while the message was being handled');
    },
  );

  it('is a dead letter when that happens at every attempt, and the process stays', async () => {
    await publish({ key: 'poison', n: 1 }, { key: 'a', n: 2 });
    keepRunning('exit', true);
    await progressIs({ handled: 1, parked: 0, dead: 1, discarded: 0 });
    expect(await dead()).toHaveLength(1);
    const before = deaths;
    await publish({ key: 'a', n: 3 });
    await progressIs({ handled: 2, parked: 0, dead: 1, discarded: 0 });
    expect(deaths).toBe(before);
  });
});
