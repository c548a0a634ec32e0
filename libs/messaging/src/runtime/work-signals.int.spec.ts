import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { messagingMigrations } from '../migration/messaging-migrations.js';
import { Outbox } from '../publisher/outbox.js';
import { Gathered, Happened, migratedDatabase, type TestDatabase } from '#testkit';
import { block } from '../parking/blocked-keys.js';
import { Heartbeat } from './heartbeat.js';
import { Lease } from './lease.js';
import { leave, type Work, WorkSignals } from './work-signals.js';

describe('signals of work', () => {
  let own: TestDatabase;
  let databases: DataSource[];
  let heard: Gathered<string>;
  const outbox = new Outbox({ maxEvents: 10, maxMessageBytes: 1_000 });

  beforeEach(async () => {
    own = await migratedDatabase(messagingMigrations);
    [databases, heard] = [[], new Gathered()];
  });

  afterEach(async () => {
    await Promise.all(databases.map(each => WorkSignals.of(each).close()));
    await Promise.all(databases.map(each => each.destroy()));
    await own.drop();
  });

  /** An instance of the service, and what its signals say. */
  async function instance(name: string): Promise<DataSource> {
    const database = await new DataSource({ type: 'postgres', url: own.url, poolSize: 3 }).initialize();
    databases.push(database);
    const signals = WorkSignals.of(database);
    for (const work of ['outbox', 'timers', 'parked', 'resumed'] satisfies Work[])
      signals.on(work, () => heard.add(`${name}: ${work}`));
    return database;
  }

  /** …that hears the others. A connection that is opened wakes everyone, for what was missed before. */
  async function listening(name: string): Promise<DataSource> {
    const database = await instance(name);
    WorkSignals.of(database).listen(name);
    await heard.until(items => items.includes(`${name}: resumed`));
    return database;
  }

  const publish = (database: DataSource) =>
    database.transaction(tx => outbox.publish(tx, Happened, { key: 'a', n: 1 }));

  it('come after the commit, and never for what was rolled back', async () => {
    const one = await instance('one');
    await one.transaction(async tx => {
      await outbox.publish(tx, Happened, { key: 'a', n: 1 });
      leave(tx, 'timers');
      expect(heard.items).toEqual([]);
    });
    expect(heard.items).toEqual(['one: outbox', 'one: timers']);
    const rolledBack = one.transaction(async tx => {
      await outbox.publish(tx, Happened, { key: 'a', n: 2 });
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    expect(heard.items).toHaveLength(2);
  });

  it('come after the whole transaction, and not after a part of it', async () => {
    const one = await instance('one');
    await one.transaction(async tx => {
      await tx.transaction(inner => outbox.publish(inner, Happened, { key: 'a', n: 1 }));
      expect(heard.items).toEqual([]);
    });
    expect(heard.items).toEqual(['one: outbox']);
  });

  it('come also after the database was closed and opened again', async () => {
    const one = await instance('one');
    await one.destroy();
    await one.initialize();
    WorkSignals.of(one);
    await publish(one);
    expect(heard.items).toEqual(['one: outbox']);
  });

  it('reach the other instances where they can do the work, and each is heard once', async () => {
    const [one] = [await listening('one'), await listening('two')];
    heard.items.length = 0;
    WorkSignals.of(one).shareWhile('outbox', () => true);
    await publish(one);
    await heard.until(items => items.includes('two: outbox'));
    // The last of them has come through the same connection as any that would be too many.
    await one.transaction(async tx => leave(tx, 'resumed'));
    await heard.until(items => items.includes('two: resumed'));
    expect([...heard.items].sort()).toEqual(['one: outbox', 'one: resumed', 'two: outbox', 'two: resumed']);
  });

  it('stay here while only this instance can do the work', async () => {
    const [one] = [await listening('one'), await listening('two')];
    heard.items.length = 0;
    await publish(one);
    await one.transaction(async tx => leave(tx, 'resumed'));
    await heard.until(items => items.includes('two: resumed'));
    expect([...heard.items].sort()).toEqual(['one: outbox', 'one: resumed', 'two: resumed']);
  });

  describe('and heartbeats', () => {
    it('find what an instance has left that died before it could tell, and take its lease', async () => {
      const dead = new Lease(await instance('dead'), 'relay', 'dead', 300);
      expect(await dead.hold()).toBe(true);
      const left = databases[0]!;
      await publish(left);
      await left.transaction(tx => block(tx, 'test.follow', 'test', ['a'], 0));
      await left.query(
        `INSERT INTO messaging.timer (type, key, topic, traceparent, payload, due_at)
         VALUES ('t', 'k', 'test', '', '{}', now())`,
      );
      const survivor = await instance('survivor');
      const lease = new Lease(survivor, 'relay', 'survivor', 300);
      const heartbeat = new Heartbeat(
        survivor,
        'survivor',
        [{ lease, stuckMs: 0 }],
        () => ['test.follow'],
        50,
      );
      heartbeat.start();
      const work = ['outbox', 'timers', 'parked'];
      await heard.until(items => work.every(each => items.includes(`survivor: ${each}`)));
      // Each beat wakes for the outbox: one of them has the lease.
      await heard.until(() => lease.isHeld);
      expect(await dead.hold()).toBe(false);
      await heartbeat.stop();
    });

    it('leave a lease to its living holder', async () => {
      const one = await instance('one');
      const [mine, theirs] = ['one', 'two'].map(holder => new Lease(one, 'relay', holder, 60_000)) as [
        Lease,
        Lease,
      ];
      const beat = (lease: Lease) =>
        new Heartbeat(one, lease.holder, [{ lease, stuckMs: 0 }], () => ['test.follow'], 60_000);
      await publish(one);
      heard.items.length = 0;
      for (const [index, lease] of [mine, theirs].entries()) {
        const heartbeat = beat(lease);
        heartbeat.start();
        await heard.until(items => items.filter(each => each === 'one: outbox').length >= index + 1);
        await heartbeat.stop();
      }
      expect([mine.isHeld, theirs.isHeld]).toEqual([true, false]);
    });

    it('let the lease of one go that makes no progress', async () => {
      const one = await instance('one');
      const [stuck, idle] = ['relay', 'alerts'].map(name => new Lease(one, name, 'one', 1_000)) as [
        Lease,
        Lease,
      ];
      const holders = [
        { lease: stuck, stuckMs: 1_000 },
        { lease: idle, stuckMs: 0 },
      ];
      const heartbeat = new Heartbeat(one, 'one', holders, () => [], 60_000);
      heartbeat.start();
      await heartbeat.stop();
      expect([stuck.isHeld, idle.isHeld]).toEqual([false, true]);
    });
  });
});
