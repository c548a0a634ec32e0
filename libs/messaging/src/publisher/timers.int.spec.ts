import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Gathered, MessagingFixture } from '#testkit';
import { defineEvent } from '../message/define-event.js';
import { TimerLoop } from './timer-loop.js';
import { Timers } from './timers.js';

const Due = defineEvent({
  type: 'test.due.v1',
  topic: 'due',
  key: event => event.id,
  schema: z.object({ id: z.string(), n: z.int(), note: z.string().optional() }),
});

describe('timers', () => {
  let fixture: MessagingFixture;
  let received: Gathered<unknown>;
  const timers = new Timers({ maxEvents: 100, maxMessageBytes: 10_000 });
  let loops: TimerLoop[] = [];

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
    const transport = fixture.transport();
    received = new Gathered();
    await transport.ensureTopics([{ name: 'due', partitions: 1 }]);
    await transport.subscribe(
      { group: 'g', topics: ['due'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async ({ messages }) =>
        received.add(...messages.map(message => JSON.parse(message.payload.toString()) as unknown)),
    );
    fixture.relay(transport);
  });

  afterEach(async () => {
    await Promise.all(loops.map(loop => loop.stop()));
    loops = [];
    await fixture.stop();
  });

  const schedule = (id: string, n: number, inMs: number) =>
    fixture.database.transaction(tx =>
      timers.schedule(tx, Due, [{ event: { id, n }, dueAt: new Date(Date.now() + inMs) }]),
    );

  function startLoop(): void {
    const loop = new TimerLoop(fixture.database, () => undefined, { batch: 10, pollMs: 50 });
    loops.push(loop);
    loop.start();
  }

  it('fire no more in one transaction than their limit', async () => {
    await fixture.database.transaction(tx =>
      timers.schedule(
        tx,
        Due,
        Array.from({ length: 25 }, (_, n) => ({ event: { id: String(n), n }, dueAt: new Date(0) })),
      ),
    );
    // A trigger marks which transaction fired each timer.
    await fixture.database.query('CREATE TABLE fired (xid xid8 NOT NULL DEFAULT pg_current_xact_id())');
    await fixture.database.query(`
      CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO fired DEFAULT VALUES; RETURN OLD; END';
      CREATE TRIGGER mark AFTER DELETE ON messaging.timer FOR EACH ROW EXECUTE FUNCTION mark()`);
    startLoop();
    await received.count(25);
    const sizes = (await fixture.database.query(
      'SELECT count(*)::int AS size FROM fired GROUP BY xid ORDER BY size',
    )) as { size: number }[];
    expect(sizes).toEqual([{ size: 5 }, { size: 10 }, { size: 10 }]);
  });

  it('publish what is due once, with several loops running, and what comes later, later', async () => {
    await schedule('later', 2, 300);
    await schedule('soon', 1, -1_000);
    startLoop();
    startLoop();
    expect(await received.count(2)).toEqual([
      { id: 'soon', n: 1 },
      { id: 'later', n: 2 },
    ]);
    expect(await fixture.database.query('SELECT * FROM messaging.timer')).toEqual([]);
  });

  it('are replaced by key, cancelled by key, and roll back with their transaction', async () => {
    await schedule('replaced', 1, -1);
    await schedule('replaced', 2, -1);
    await schedule('cancelled', 1, -1);
    await fixture.database.transaction(tx => timers.cancel(tx, Due, ['cancelled']));
    const rolledBack = fixture.database.transaction(async tx => {
      await timers.schedule(tx, Due, [{ event: { id: 'never', n: 1 }, dueAt: new Date(0) }]);
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await schedule('last', 9, 100);
    startLoop();
    await received.until(events => events.some(event => (event as { id: string }).id === 'last'));
    expect(received.items).toEqual([
      { id: 'replaced', n: 2 },
      { id: 'last', n: 9 },
    ]);
  });

  it('refuse an event that no transport would take, while its caller can still be told', async () => {
    const tooLong = fixture.database.transaction(tx =>
      timers.schedule(tx, Due, [{ event: { id: 'x', n: 1, note: 'x'.repeat(20_000) }, dueAt: new Date() }]),
    );
    await expect(tooLong).rejects.toThrow('over the limit');
    expect(await fixture.database.query('SELECT * FROM messaging.timer')).toEqual([]);
  });

  it('refuse to be scheduled outside a transaction', async () => {
    const outside = timers.schedule(fixture.database.manager, Due, [
      { event: { id: 'a', n: 1 }, dueAt: new Date() },
    ]);
    await expect(outside).rejects.toThrow('no open transaction');
  });
});
