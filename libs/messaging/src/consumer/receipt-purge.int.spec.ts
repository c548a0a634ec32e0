import { describe, expect, it } from '@jest/globals';
import { envelop, toWire } from '../message/envelope.js';
import { eventually, Happened, useParking } from '#testkit';
import { pause, resume } from './pause.js';
import { ReceiptPurge } from './receipt-purge.js';
import type { Subscription } from './subscription.js';

describe('receipts', () => {
  const parking = useParking();
  const { consume, progressIs, recording, retry, publish } = parking;
  const query = (sql: string) => parking.fixture.database.query(sql) as Promise<never[]>;
  const age = () => query("UPDATE messaging.inbox SET received_at = now() - interval '30 days'");
  const purgeOf = (declared: readonly Subscription[]) =>
    new ReceiptPurge(parking.fixture.database, parking.transport, () => declared);
  const allCommitted = () =>
    eventually(
      () => parking.transport.lag('test.follow'),
      lags => lags.every(({ lag }) => lag === 0),
    );

  it('are kept while a copy is unread, however old they are, and forgotten once the group is past it', async () => {
    const message = toWire(envelop(Happened, { key: 'a', n: 1 }), 'test');
    await parking.transport.publish([message]);
    const declared = await consume();
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 0 });
    await parking.fixture.database.transaction(tx => pause(tx, declared.name, 'ann', 'a long one'));
    await parking.transport.publish([message]);
    await age();
    const purge = purgeOf([declared]);
    for (let round = 0; round < 3; round += 1) expect(await purge.purge()).toBe(0);
    await parking.fixture.database.transaction(tx => resume(tx, declared.name));
    await allCommitted();
    expect(await parking.fixture.effects()).toEqual(['a1']);
    expect(await purge.purge()).toBe(1);
  });

  it('are forgotten for what was settled before the last look, while more comes all the time', async () => {
    const declared = await consume();
    await publish({ key: 'a', n: 1 });
    await allCommitted();
    await age();
    const heads = await parking.transport.lag(declared.name);
    // Every look finds one message that is not settled yet.
    let committed = heads[0]!.committed - 1;
    const busy = {
      lag: () =>
        Promise.resolve([{ ...heads[0]!, head: committed + 1, committed: (committed += 1) - 1, lag: 1 }]),
    };
    const purge = new ReceiptPurge(parking.fixture.database, busy, () => [declared]);
    expect(await purge.purge()).toBe(0);
    expect(await purge.purge()).toBe(1);
  });

  it('are kept for what is parked or dead, because it may still be handled', async () => {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken && event.key !== 'ok') throw new Error('broken');
      await recording(event, tx);
    };
    const declared = await consume({ attempts: 2, firstMs: 1, longestMs: 1, onDead: 'skip' });
    await publish({ key: 'dead', n: 1 }, { key: 'ok', n: 2 });
    const retrier = retry(declared);
    await progressIs({ handled: 1, parked: 0, dead: 1, discarded: 0 });
    await retrier.stop();
    await publish({ key: 'parked', n: 3 });
    await progressIs({ handled: 1, parked: 1, dead: 1, discarded: 0 });
    await allCommitted();
    await age();
    expect(await purgeOf([declared]).purge()).toBe(1);
    expect(await query('SELECT FROM messaging.inbox')).toHaveLength(2);
    broken = false;
  });

  it('of a subscription that is declared no more go by their age, however many they are', async () => {
    await query(
      `INSERT INTO messaging.inbox (subscription, message_id, received_at, key_hash)
       SELECT 's', n::text, now() - CASE WHEN n <= 12000 THEN interval '8 days' ELSE interval '6 days' END, 0
       FROM generate_series(1, 12003) AS n`,
    );
    const purge = purgeOf([]);
    expect(await purge.purge()).toBe(12_000);
    expect(await purge.purge()).toBe(0);
    expect(await query('SELECT FROM messaging.inbox')).toHaveLength(3);
  });
});
