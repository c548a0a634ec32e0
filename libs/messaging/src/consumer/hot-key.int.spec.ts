import { describe, expect, it } from '@jest/globals';
import { eventually, SOON, useParking } from '#testkit';
import { countOutOfOrder } from './inbox.js';

describe('the parked backlog of a hot key', () => {
  const parking = useParking();
  const { consume, retry, publish, progressIs, recording } = parking;
  const BACKLOG = 500;

  const events = (key: string, from: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({ key, n: from + n }));
  const blocked = () =>
    parking.fixture.database.query('SELECT key FROM messaging.blocked_key') as Promise<object[]>;
  const ofKey = async (key: string) =>
    (await parking.fixture.effects())
      .filter(what => what.startsWith(key))
      .map(what => what.slice(key.length));

  const parkedCount = async () => {
    const [{ count }] = (await parking.fixture.database.query(
      'SELECT count(*)::int FROM messaging.parked',
    )) as [{ count: number }];
    return count;
  };

  async function parkBacklog(isPoison: (n: number) => boolean) {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (event.key === 'hot' && (broken ? event.n === 0 : isPoison(event.n))) throw new Error('not yet');
      await recording(event, tx);
    };
    const declared = await consume({ ...SOON, attempts: 1_000_000 });
    await publish(...events('hot', 0, BACKLOG));
    await progressIs({ handled: 0, parked: BACKLOG, dead: 0, discarded: 0 });
    return { declared, repair: () => (broken = false) };
  }

  it('is worked off in batches, and the key comes free, while messages of it keep coming', async () => {
    const { declared, repair } = await parkBacklog(() => false);
    repair();
    retry(declared);
    let next = BACKLOG;
    // More come all the time, though not faster than they are handled: the backlog must shrink.
    for (let before = BACKLOG; (await blocked()).length > 0;) {
      await publish(...events('hot', next, 5), ...events('other', next, 1));
      next += 5;
      before = await eventually(parkedCount, count => count < before || count === 0);
    }
    await publish(...events('hot', next, 5));
    next += 5;
    await eventually(
      () => ofKey('hot'),
      done => done.length === next,
    );
    expect(await ofKey('hot')).toEqual(Array.from({ length: next }, (_, n) => String(n)));
    expect((await countOutOfOrder(parking.fixture.database)).size).toBe(0);
    // One transaction of the retrier handled many messages, not one.
    const [{ count }] = (await parking.fixture.database.query(
      "SELECT count(*)::int FROM messaging.outcome WHERE was = 'parked'",
    )) as [{ count: number }];
    expect(count).toBeLessThan(BACKLOG / 2);
  });

  it('is worked off up to the message that fails, which has every attempt counted and no other', async () => {
    const POISON = 123;
    const { declared, repair } = await parkBacklog(n => n === POISON);
    repair();
    retry(declared);
    const first = await eventually(
      () =>
        parking.fixture.database.query('SELECT attempts FROM messaging.parked ORDER BY position') as Promise<
          { attempts: number }[]
        >,
      rows => rows.length === BACKLOG - POISON && rows[0]!.attempts > 1,
    );
    expect(first.slice(1).every(({ attempts }) => attempts === 0)).toBe(true);
    expect(await ofKey('hot')).toEqual(Array.from({ length: POISON }, (_, n) => String(n)));
    await publish({ key: 'other', n: 1 });
    await eventually(
      () => ofKey('other'),
      done => done.length === 1,
    );
  });

  it('costs nothing to those who look for what is due', async () => {
    const { declared } = await parkBacklog(() => false);
    await parking.transport.close();
    const read = async () => {
      await parking.fixture.database.query('SELECT pg_stat_force_next_flush()');
      const [{ read }] = (await parking.fixture.database.query(
        `SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_user_tables
         WHERE schemaname = 'messaging' AND relname = 'parked'`,
      )) as [{ read: number }];
      return read;
    };
    await parking.fixture.database.query("UPDATE messaging.blocked_key SET due_at = 'infinity'");
    const before = await read();
    const { claim } = await import('../parking/blocked-keys.js');
    for (let look = 0; look < 20; look += 1) await claim(parking.fixture.database, declared.name, 50);
    expect((await read()) - before).toBeLessThan(20);
  });
});
