import { afterEach, describe, expect, it } from '@jest/globals';
import { Gate, Gathered } from '#testkit';
import { PacedTask } from './paced-task.js';

const FOREVER_MS = 1_000_000;

describe('a paced task', () => {
  let task: PacedTask;
  const turns = new Gathered<number>();
  afterEach(async () => {
    await task.stop();
    turns.items.length = 0;
  });

  /** A task that says each time whether there is more. */
  function start(everyMs: number, work: (turn: number) => Promise<boolean> | boolean): void {
    task = new PacedTask(
      async () => {
        const turn = turns.items.length + 1;
        const more = await work(turn);
        turns.add(turn);
        return more;
      },
      { everyMs, lookMs: FOREVER_MS, onError: () => undefined },
    );
    task.start();
  }

  it('works on while there is more, sleeps when there is not, and works at once when it is called', async () => {
    start(1, turn => turn < 3);
    await turns.count(3);
    // The turn that has just ended goes to sleep first.
    await new Promise(resolve => setImmediate(resolve));
    task.call();
    await turns.count(4);
  });

  it('is not called in vain while a turn is under way that has looked already', async () => {
    const gate = new Gate();
    start(1, async turn => {
      if (turn === 1) await gate.opened;
      return false;
    });
    task.call();
    gate.release();
    await turns.count(2);
  });

  it('does not work more often than its pace because it is called', async () => {
    start(FOREVER_MS, () => true);
    await turns.count(1);
    await new Promise(resolve => setImmediate(resolve));
    task.call();
    await new Promise(resolve => setImmediate(resolve));
    expect(turns.items).toEqual([1]);
  });
});
