import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, type EntityManager } from 'typeorm';
import { CommitCutter, type Cut, Gate, migratedDatabase, type TestDatabase } from '#testkit';
import { messagingMigrations } from '../migration/messaging-migrations.js';
import { Admission, type BucketNews, TooManyRequests } from './admission.js';
import type { BucketSpec, TokenAsk } from './token-bucket.js';
import { TokenBuckets } from './token-buckets.js';

type Work = (tx: EntityManager) => Promise<unknown>;

const NAME = 'route:orders';
/** A token in three hours: none comes while a test runs. */
const SLOW = 0.0001;
const spec = (ratePerSecond: number, capacity: number): BucketSpec => ({
  ratePerSecond,
  capacity,
  adaptive: null,
});
const ask = (number: number, want: number, more: Partial<TokenAsk> = {}): TokenAsk => ({
  bucket: NAME,
  holder: 'g',
  number,
  want,
  holding: 0,
  admitted: 0,
  refused: 0,
  completed: 0,
  overloaded: 0,
  ...more,
});

describe('token buckets in a database', () => {
  let own: TestDatabase;
  let sources: DataSource[];
  let told: BucketNews[];

  beforeEach(async () => {
    own = await migratedDatabase(messagingMigrations);
    sources = [];
    told = [];
  });

  afterEach(async () => {
    await Promise.all(sources.map(source => source.destroy()));
    await own.drop();
  });

  /** An instance of the service that keeps the buckets. */
  async function instance(url = own.url): Promise<TokenBuckets> {
    const source = new DataSource({ type: 'postgres', url, poolSize: 4 });
    await source.initialize();
    sources.push(source);
    return new TokenBuckets(source, async (_, news) => void told.push(news));
  }

  const query = (sql: string) => sources[0]!.query(sql);

  it('admit, by several instances to several gateways, at most capacity + rate × t, and as many as there are', async () => {
    const [rate, capacity] = [500, 100];
    const instances = await Promise.all([instance(), instance(), instance()]);
    await instances[0]!.set(NAME, spec(rate, capacity));
    let turn = 0;
    const gateways = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const source = {
          ask: (asks: readonly TokenAsk[]) => instances[(turn += 1) % instances.length]!.grant(asks),
          list: async () => (await instances[0]!.list()).map(each => ({ ...each, removed: false })),
        };
        const admission = new Admission(source);
        admission.start();
        await admission.admit('route:nothing');
        return admission;
      }),
    );
    const startedAt = performance.now();
    const admitted: number[] = [];
    const shop = async (admission: Admission) => {
      while (admitted.length < 800) {
        try {
          await admission.admit(NAME);
          admitted.push(performance.now());
        } catch (error) {
          if (!(error instanceof TooManyRequests)) throw error;
          await new Promise(resolve => setImmediate(resolve));
        }
      }
    };
    await Promise.all(gateways.map(shop));
    // When it began, the bucket was full.
    for (const [n, at] of admitted.entries())
      expect(n + 1).toBeLessThanOrEqual(capacity + (rate / 1_000) * (at - startedAt));
    await Promise.all(gateways.map(gateway => gateway.stop()));
    const [bucket] = await instances[0]!.list();
    expect(bucket).toMatchObject({ held: 0, admitted: admitted.length });
    expect(bucket!.refused).toBe(
      gateways.reduce((total, { counts }) => total + counts.get(NAME)!.refused, 0),
    );
  });

  it('grant asks of one moment together, in any order of their buckets, and know which do not exist', async () => {
    const [one, two] = await Promise.all([instance(), instance()]);
    for (const name of ['route:a', 'route:b']) await one.set(name, spec(SLOW, 1_000));
    const both = (holder: string, names: readonly string[], number: number) =>
      names.map(bucket => ask(number, 1, { bucket, holder, admitted: number - 1 }));
    const forth = ['route:a', 'route:b', 'route:c'];
    const all = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => [
        await one.grant(both('g', forth, n + 1)),
        await two.grant(both('h', [...forth].reverse(), n + 1)),
      ]),
    );
    for (const [there, back] of all) {
      expect(there![2]).toBeNull();
      expect(back![0]).toBeNull();
    }
    const buckets = await one.list();
    for (const { level, held } of buckets) expect(level + held).toBeLessThanOrEqual(1_000);
  });

  it('go on where a dead gateway’s block expires, and not before', async () => {
    const buckets = await instance();
    await buckets.set(NAME, spec(1_000, 10));
    expect(await buckets.grant([ask(1, 10)])).toMatchObject([{ tokens: 10 }]);
    const [held] = await buckets.grant([ask(1, 10, { holder: 'h' })]);
    expect(held).toMatchObject({ tokens: 0 });
    // As if that were long ago.
    await query(
      `UPDATE messaging.token_bucket SET state = jsonb_set(jsonb_set(state, '{issuedAt}', to_jsonb((state->>'issuedAt')::float8 - 20000)),
         '{holders,g,until}', to_jsonb((state->'holders'->'g'->>'until')::float8 - 20000))`,
    );
    expect(await buckets.grant([ask(2, 10, { holder: 'h' })])).toMatchObject([{ tokens: 10 }]);
  });

  it.each<Cut>(['committed', 'not committed'])(
    'grant once what is asked again because the answer to a commit was lost that was %s',
    async cut => {
      const near = await instance();
      await near.set(NAME, spec(SLOW, 10));
      const { cutter, url } = await CommitCutter.before(own.url);
      const far = await instance(url);
      cutter.cutNext(cut);
      await expect(far.grant([ask(1, 4)])).rejects.toThrow();
      expect(await near.grant([ask(1, 4)])).toMatchObject([{ tokens: 4 }]);
      expect(await near.list()).toMatchObject([{ level: 6, held: 4 }]);
      // Given up instead: what it was granted is not used, and comes back.
      expect(await near.grant([ask(2, 10)])).toMatchObject([{ tokens: 10 }]);
      await cutter.stop();
    },
  );

  it('are changed while they are used, removed, and known by their versions', async () => {
    const buckets = await instance();
    await buckets.set(NAME, spec(SLOW, 10));
    await buckets.grant([ask(1, 4)]);
    expect(await buckets.set(NAME, spec(1, 5))).toMatchObject({
      ratePerSecond: 1,
      capacity: 5,
      level: 1,
      held: 4,
    });
    expect(await buckets.set(NAME, spec(9, 9), { keep: true })).toMatchObject({
      ratePerSecond: 1,
      capacity: 5,
    });
    expect(await buckets.remove(NAME)).toBe(told.at(-1)!.version);
    expect(await buckets.remove(NAME)).toBeUndefined();
    await buckets.set(NAME, spec(SLOW, 3));
    expect(told.map(({ removed }) => removed)).toEqual([false, false, true, false]);
    const versions = told.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(await buckets.list()).toMatchObject([{ name: NAME, capacity: 3, level: 3, admitted: 0 }]);
  });

  it('are forgotten when their time is over', async () => {
    const buckets = await instance();
    await buckets.set(NAME, spec(1, 5), { endsAt: '2000-01-01T00:00:00Z' });
    expect(await buckets.list()).toEqual([]);
    expect(await buckets.grant([ask(1, 1)])).toEqual([null]);
    await buckets.set('route:other', spec(1, 1));
    expect(await query('SELECT name FROM messaging.token_bucket')).toEqual([{ name: 'route:other' }]);
  });

  it('take over from an instance that stands still in the middle of a grant', async () => {
    const buckets = await instance();
    await buckets.set(NAME, spec(SLOW, 10));
    const gate = new Gate();
    const locked = new Gate();
    const frozen = await instance();
    const source = sources.at(-1)!;
    const transaction = source.transaction.bind(source) as (work: Work) => Promise<unknown>;
    source.transaction = ((work: Work) =>
      transaction(tx => {
        const query = tx.query.bind(tx);
        tx.query = (async (sql: string, values?: unknown[]) => {
          if (sql.startsWith('\nUPDATE')) {
            locked.release();
            await gate.opened;
          }
          return query(sql, values);
        }) as typeof tx.query;
        return work(tx);
      })) as typeof source.transaction;
    const late = frozen.grant([ask(1, 10, { holder: 'h' })]);
    await locked.opened;
    expect(await buckets.grant([ask(1, 4)])).toMatchObject([{ tokens: 4 }]);
    gate.release();
    await expect(late).rejects.toThrow();
    expect(await buckets.list()).toMatchObject([{ level: 6, held: 4 }]);
  });

  it('set a rate that follows what is completed', async () => {
    const buckets = await instance();
    await buckets.set(NAME, { ratePerSecond: 100, capacity: 100, adaptive: { min: 10, max: 1_000 } });
    const report = async (holder: string, counts: Partial<TokenAsk>) => {
      // As if the last report were a second old.
      await query(
        `UPDATE messaging.token_bucket
         SET state = jsonb_set(state, '{seen,since}', to_jsonb((state->'seen'->>'since')::float8 - 1000))`,
      );
      await buckets.grant([ask(1, 0, { holder, ...counts })]);
      const [bucket] = await buckets.list();
      return bucket!.ratePerSecond;
    };
    expect(await report('a', { admitted: 200, completed: 100 })).toBeGreaterThan(100);
    expect(await report('b', { admitted: 400, completed: 50, overloaded: 50 })).toBeLessThan(50);
    expect(await report('c', { admitted: 400, overloaded: 50 })).toBe(10);
  });
});
