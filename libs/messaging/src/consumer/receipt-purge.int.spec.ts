import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MessagingFixture } from '#testkit';
import { ReceiptPurge } from './receipt-purge.js';

describe('receipts', () => {
  let fixture: MessagingFixture;

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
  });

  afterEach(async () => {
    await fixture.stop();
  });

  it('are forgotten when no copy can come any more, however many they are, and no earlier', async () => {
    await fixture.database.query(
      `INSERT INTO messaging.inbox (subscription, message_id, received_at, key_hash)
       SELECT 's', n::text, now() - CASE WHEN n <= 12000 THEN interval '8 days' ELSE interval '6 days' END, 0
       FROM generate_series(1, 12003) AS n`,
    );
    const purge = new ReceiptPurge(fixture.database);
    expect(await purge.purge(7)).toBe(12_000);
    const left = 'SELECT count(*)::int AS count FROM messaging.inbox';
    expect(await fixture.database.query(left)).toEqual([{ count: 3 }]);
    expect(await purge.purge(7)).toBe(0);
  });
});
