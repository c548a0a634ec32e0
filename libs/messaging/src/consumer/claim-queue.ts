import type { DataSource } from 'typeorm';
import type { Transport } from '../transport/transport.js';

// A service that has settled nothing may claim any queue.
const CLAIM = `
INSERT INTO messaging.queue AS q (identity) VALUES ($1)
ON CONFLICT (only_one) DO UPDATE SET identity = excluded.identity, claimed_at = now()
WHERE q.identity <> excluded.identity AND NOT EXISTS (SELECT FROM messaging.consumer_progress)
  AND NOT EXISTS (SELECT FROM messaging.parked) AND NOT EXISTS (SELECT FROM messaging.dead_letter)`;

const CLAIMED = 'SELECT identity FROM messaging.queue';

/** The service was given a different queue than the one that its progress refers to. */
export class QueueReplaced extends Error {
  readonly code = 'queue_replaced';
  constructor(
    readonly service: string,
    readonly before: string,
    readonly now: string,
  ) {
    super(
      `${service} has settled messages of queue "${before}" but was given "${now}", ` +
        'whose messages it would skip as done; give it its old queue back, ' +
        'or migrate as docs/choosing-a-transport.md describes',
    );
  }
}

/**
 * A service's progress consists of positions in one queue. In another queue, the same positions mean other
 * messages.
 * @throws QueueReplaced
 */
export async function claimQueue(service: string, database: DataSource, transport: Transport): Promise<void> {
  const identity = await transport.identity();
  await database.query(CLAIM, [identity]);
  const [claimed] = (await database.query(CLAIMED)) as [{ identity: string }];
  if (claimed.identity !== identity) throw new QueueReplaced(service, claimed.identity, identity);
}
