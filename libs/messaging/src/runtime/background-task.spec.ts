import { describe, expect, it } from '@jest/globals';
import { BackgroundTask, type Turn } from './background-task.js';

const FOREVER = 2 ** 31 - 1;
const quick = { backoff: { firstMs: 1, longestMs: 1 }, onError: () => undefined };

/** Turns that the test ends one by one. */
function steps() {
  const waiting: ((turn: Turn | Error) => void)[] = [];
  const started: (() => void)[] = [];
  let turns = 0;
  return {
    turn: () => {
      turns += 1;
      started.shift()?.();
      return new Promise<Turn>((resolve, reject) =>
        waiting.push(turn => (turn instanceof Error ? reject(turn) : resolve(turn))),
      );
    },
    end: (turn: Turn | Error) => waiting.shift()!(turn),
    begun: () => (waiting.length > 0 ? Promise.resolve() : new Promise<void>(done => started.push(done))),
    count: () => turns,
  };
}

describe('a background task', () => {
  it('takes its first turn after a while where it is told to, or when it is woken; stopped before, it takes none', async () => {
    const [step, none] = [steps(), steps()];
    const task = new BackgroundTask(step.turn, { ...quick, firstAfterMs: FOREVER });
    task.start();
    expect(step.count()).toBe(0);
    task.wake();
    await step.begun();
    step.end('done');
    await task.stop();
    const stopped = new BackgroundTask(none.turn, { ...quick, firstAfterMs: FOREVER });
    stopped.start();
    await stopped.stop();
    expect(none.count()).toBe(0);
  });

  it('takes one turn at a time, goes on at once after 0, and when it is woken', async () => {
    const step = steps();
    const task = new BackgroundTask(step.turn, quick);
    task.start();
    task.start();
    expect(step.count()).toBe(1);
    step.end(0);
    await step.begun();
    task.wake();
    step.end(FOREVER);
    await step.begun();
    expect(step.count()).toBe(3);
    step.end('done');
    await task.stop();
  });

  it('finishes the turn under way when it is stopped, and begins no other', async () => {
    const step = steps();
    const task = new BackgroundTask(step.turn, quick);
    task.start();
    let stopped = false;
    const stopping = task.stop().then(() => (stopped = true));
    await new Promise(resolve => setImmediate(resolve));
    expect(stopped).toBe(false);
    step.end(0);
    await stopping;
    expect(step.count()).toBe(1);
  });

  it('goes on until it is done when it drains, and ends with the first failure', async () => {
    for (const last of ['done', new Error('away')] as const) {
      const step = steps();
      const task = new BackgroundTask(step.turn, { ...quick, drains: true });
      task.start();
      const stopping = task.stop();
      step.end(0);
      await step.begun();
      step.end(last);
      await stopping;
      expect(step.count()).toBe(2);
    }
  });

  it('goes on after a failure, which it tells with the pause', async () => {
    const step = steps();
    const told: unknown[] = [];
    const task = new BackgroundTask(step.turn, {
      ...quick,
      onError: (error, pauseMs) => told.push([(error as Error).message, pauseMs]),
    });
    task.start();
    step.end(new Error('away'));
    await step.begun();
    step.end('done');
    await task.stop();
    expect(told).toEqual([['away', 1]]);
  });

  it('does not shorten the pause after a failure when it is woken, but when it is stopped', async () => {
    const step = steps();
    const paused = new Promise<void>(resolve => {
      const task = new BackgroundTask(step.turn, {
        backoff: { firstMs: FOREVER, longestMs: FOREVER },
        onError: () => {
          task.wake();
          setImmediate(() => {
            expect(step.count()).toBe(1);
            void task.stop().then(resolve);
          });
        },
      });
      task.start();
    });
    step.end(new Error('away'));
    await paused;
    expect(step.count()).toBe(1);
  });
});
