import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { migratedDatabase, type TestDatabase } from '#testkit';
import { KeyedCalls } from './keyed-calls.js';
import { CreateKeyedCalls1700000000100 } from './migration.js';

const digest = () => randomBytes(32).toString('hex');
const aCall = () => ({ key: digest(), fingerprint: digest(), claim: randomUUID(), seed: randomUUID() });
/** Another attempt at the same call. */
const retry = (call: ReturnType<typeof aCall>) => ({ ...call, claim: randomUUID(), seed: randomUUID() });
const answer = { body: { orderId: 'o-1' } };

describe('a call with a key', () => {
  let own: TestDatabase;
  let database: DataSource;
  let calls: KeyedCalls;

  beforeEach(async () => {
    own = await migratedDatabase([...messagingMigrations, CreateKeyedCalls1700000000100]);
    database = await new DataSource({ type: 'postgres', url: own.url }).initialize();
    calls = new KeyedCalls(database);
  });

  afterEach(async () => {
    await database.destroy();
    await own.drop();
  });

  const begin = async (call: ReturnType<typeof aCall>, by = calls) => (await by.begin([call]))[0]!;

  it('is claimed by one of many that begin it at the same time', async () => {
    const call = aCall();
    const begun = await Promise.all(Array.from({ length: 20 }, () => begin(retry(call))));
    expect(begun.filter(({ state }) => state === 'claimed')).toHaveLength(1);
    expect(begun.filter(({ state }) => state === 'under_way')).toHaveLength(19);
  });

  it('gets the answer of the first when it is repeated, and is refused when it is another call', async () => {
    const call = aCall();
    const claimed = { state: 'claimed', seed: call.seed, again: false };
    expect(await begin(call)).toEqual(claimed);
    // The answer to its own question was lost.
    expect(await begin(call)).toEqual(claimed);
    expect(await begin({ ...retry(call), fingerprint: digest() })).toEqual({ state: 'another_call' });
    await calls.settle([{ ...call, as: 'answered', answer }]);
    expect(await begin(retry(call))).toEqual({ state: 'answered', answer });
    expect(await begin({ ...retry(call), fingerprint: digest() })).toEqual({ state: 'another_call' });
  });

  it('is made again with the ids of the first when that went silent, which then settles nothing', async () => {
    const impatient = new KeyedCalls(database, { keptS: 3_600, claimS: 0 });
    const first = aCall();
    await begin(first, impatient);
    const second = retry(first);
    expect(await begin(second, impatient)).toEqual({ state: 'claimed', seed: first.seed, again: true });
    await calls.settle([{ ...first, as: 'answered', answer: { body: 'late' } }]);
    await calls.settle([{ ...first, as: 'forgotten' }]);
    await calls.settle([{ ...second, as: 'answered', answer }]);
    expect(await begin(retry(first))).toEqual({ state: 'answered', answer });
  });

  it('is made again at once with the same ids when its outcome is not known', async () => {
    const first = aCall();
    await begin(first);
    await calls.settle([{ ...first, as: 'lapsed' }]);
    expect(await begin({ ...retry(first), fingerprint: digest() })).toEqual({ state: 'another_call' });
    expect(await begin(retry(first))).toEqual({ state: 'claimed', seed: first.seed, again: true });
  });

  it('stays claimed while it is renewed', async () => {
    const impatient = new KeyedCalls(database, { keptS: 3_600, claimS: 0 });
    const call = aCall();
    await begin(call, impatient);
    await calls.settle([{ ...call, as: 'under_way' }]);
    expect(await begin(retry(call), impatient)).toEqual({ state: 'under_way' });
  });

  it('is a new call after one that had no effect, and after the time for which answers are kept', async () => {
    const call = aCall();
    await begin(call);
    await calls.settle([{ ...call, as: 'forgotten' }]);
    const other = { ...retry(call), fingerprint: digest() };
    expect(await begin(other)).toEqual({ state: 'claimed', seed: other.seed, again: false });
    await calls.settle([{ ...other, as: 'answered', answer }]);
    const forgetful = new KeyedCalls(database, { keptS: 0, claimS: 30 });
    const later = retry(call);
    expect(await begin(later, forgetful)).toEqual({ state: 'claimed', seed: later.seed, again: false });
    // One that is under way is not forgotten, however old it is.
    expect(await forgetful.forget()).toBe(0);
    await calls.settle([{ ...later, as: 'answered', answer }]);
    expect(await calls.forget()).toBe(0);
    expect(await forgetful.forget()).toBe(1);
  });

  it('is answered beside others in one request, each by itself', async () => {
    const [known, fresh] = [aCall(), aCall()];
    await begin(known);
    await calls.settle([{ ...known, as: 'answered', answer }]);
    expect(await calls.begin([retry(known), fresh])).toEqual([
      { state: 'answered', answer },
      { state: 'claimed', seed: fresh.seed, again: false },
    ]);
  });
});
