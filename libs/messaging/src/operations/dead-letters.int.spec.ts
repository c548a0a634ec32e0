import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MessagingFixture } from '#testkit';
import type { DeadLetterFilter } from './states.js';
import { DeadLetters } from './dead-letters.js';

const TRACE = 'a'.repeat(32);

describe('dead letters', () => {
  let fixture: MessagingFixture;
  let letters: DeadLetters;
  let position = 0;

  beforeAll(async () => {
    fixture = await MessagingFixture.start();
    letters = new DeadLetters(fixture.database);
  });

  afterAll(async () => {
    await fixture.stop();
  });

  beforeEach(async () => {
    await fixture.database.query(
      'TRUNCATE messaging.dead_letter, messaging.parked, messaging.blocked_key, messaging.operator_action',
    );
  });

  async function bury(what: {
    subscription?: string;
    type?: string;
    key?: string;
    error?: string;
    payload?: string;
    traceparent?: string;
    diedAt?: string;
  }): Promise<string> {
    const id = randomUUID();
    const headers = {
      ce_id: id,
      ce_type: what.type ?? 'a.v1',
      ...(what.traceparent && { traceparent: what.traceparent }),
    };
    await fixture.database.query(
      `INSERT INTO messaging.dead_letter
         (id, subscription, topic, partition, position, key, headers, payload, appended_at, reason, errors, dead_at)
       VALUES ($1, $2, 't', 0, $3, $4, $5, $6, now(), 'failed', $7::jsonb, $8)`,
      [
        id,
        what.subscription ?? 's.one',
        (position += 1),
        what.key ?? 'k',
        JSON.stringify(headers),
        Buffer.from(what.payload ?? '{}'),
        JSON.stringify([{ at: 'then', error: what.error ?? 'Error: broken' }]),
        what.diedAt ?? new Date().toISOString(),
      ],
    );
    return id;
  }

  const found = async (filter: DeadLetterFilter) =>
    (await letters.list({ limit: 10, status: 'dead', filter })).map(({ id }) => id);

  it.each<[string, Parameters<typeof bury>[0], DeadLetterFilter]>([
    ['subscription', { subscription: 's.two' }, { subscription: 's.two' }],
    ['type', { type: 'b.v1' }, { type: 'b.v1' }],
    ['key', { key: 'other' }, { key: 'other' }],
    ['part of an error, in any case', { error: 'Error: No such SKU 100%_' }, { error: 'no such sku 100%_' }],
    ['part of the payload', { payload: '{"orderId":"42"}' }, { contains: '"42"' }],
    ['trace', { traceparent: `00-${TRACE}-${'b'.repeat(16)}-01` }, { traceId: TRACE }],
    ['time', { diedAt: '2020-01-01T00:00:00.000Z' }, { until: '2020-01-01T00:00:00.000Z' }],
  ])('are found by their %s', async (_, what, filter) => {
    await bury({});
    const wanted = await bury(what);
    expect(await found(filter)).toEqual([wanted]);
  });

  it('are found although a stranger sent headers that PostgreSQL takes for no JSON', async () => {
    const odd = await bury({ type: 'odd\0.v1' });
    const plain = await bury({});
    expect(await found({ type: 'a.v1' })).toEqual([plain]);
    expect(await found({ type: 'odd\0.v1' })).toEqual([odd]);
  });

  it('are listed page by page, each once, also those that died in one moment', async () => {
    const diedAt = new Date().toISOString();
    const buried = new Set<string>();
    for (let n = 0; n < 7; n += 1) buried.add(await bury({ diedAt }));
    const seen: string[] = [];
    for (let after: { deadAt: string; id: string } | undefined; ;) {
      const page = await letters.list({ limit: 3, status: 'dead', after });
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1);
      if (after === undefined) break;
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen)).toEqual(buried);
  });

  it('are replayed by filter, those that fit and no other, back at their places', async () => {
    const [first, second] = [await bury({ key: 'a', type: 'b.v1' }), await bury({ key: 'a', type: 'b.v1' })];
    const other = await bury({ key: 'a' });
    const all = { decision: 'replay', by: 'ann', skip: 0 } as const;
    const decided = await letters.decideAll({ ...all, filter: { type: 'b.v1' }, limit: 10 });
    expect(decided).toMatchObject({ found: 2, done: 2, failed: 0 });
    expect(await found({})).toEqual([other]);
    const parked = (await fixture.database.query(
      'SELECT position::int FROM messaging.parked ORDER BY position',
    )) as { position: number }[];
    const replayed = await Promise.all([letters.get(first), letters.get(second)]);
    expect(parked.map(row => row.position)).toEqual(replayed.map(letter => letter!.position));
  });

  it('that die again during a replay are not replayed twice', async () => {
    await bury({ diedAt: '2020-01-02T00:00:00.000Z' });
    const how = { decision: 'replay', by: 'ann', skip: 0, limit: 10, filter: {} } as const;
    expect(await letters.decideAll({ ...how, diedBefore: '2020-01-01T00:00:00.000Z' })).toMatchObject({
      found: 0,
      done: 0,
    });
  });

  it('remember who decided what, each time', async () => {
    const id = await bury({});
    await letters.replay(id, 'ann');
    await fixture.database.query("UPDATE messaging.dead_letter SET status = 'dead'");
    await letters.discard(id, 'ben', 'a test order');
    const actions: unknown = await fixture.database.query(
      'SELECT acted_by, action, dead_letter, note FROM messaging.operator_action ORDER BY id',
    );
    expect(actions).toEqual([
      { acted_by: 'ann', action: 'replay', dead_letter: id, note: null },
      { acted_by: 'ben', action: 'discard', dead_letter: id, note: 'a test order' },
    ]);
  });

  it('of which one cannot be replayed do not keep the others from it', async () => {
    const good = await bury({ key: 'a' });
    await fixture.database.query(
      `UPDATE messaging.dead_letter SET position = -1, reason = 'invalid', headers = $2 WHERE id = $1`,
      [await bury({ key: 'b' }), JSON.stringify({ ce_id: 'x'.repeat(8_000) })],
    );
    await bury({ key: 'k'.repeat(9_000) });
    const all = { decision: 'replay', by: 'ann', skip: 0, limit: 10, filter: {} } as const;
    expect(await letters.decideAll(all)).toMatchObject({ found: 3, done: 1, failed: 2 });
    expect(await letters.get(good)).toMatchObject({ status: 'replayed' });
    expect(await found({})).toHaveLength(2);
  });
});
