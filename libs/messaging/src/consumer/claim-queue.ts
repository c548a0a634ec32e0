import type { DataSource } from 'typeorm';
import type { Transport } from '../transport/transport.js';

// A service that has settled nothing may take any queue.
const CLAIM = `
INSERT INTO messaging.queue AS q (identity) VALUES ($1)
ON CONFLICT (only_one) DO UPDATE SET identity = excluded.identity, claimed_at = now()
WHERE q.identity <> excluded.identity AND NOT EXISTS (SELECT FROM messaging.consumer_progress)
  AND NOT EXISTS (SELECT FROM messaging.parked) AND NOT EXISTS (SELECT FROM messaging.dead_letter)`;

const CLAIMED = 'SELECT identity FROM messaging.queue';

/** The service is given another queue than the one that its progress was counted in. */
export class QueueReplaced extends Error {
  readonly code = 'queue_replaced';
  constructor(
    readonly service: string,
    readonly before: string,
    readonly now: string,
  ) {
    super(
      `${service} has settled messages of queue "${before}" and is given "${now}", whose messages it would take for ` +
        'done; give it its queue back, or move as docs/choosing-a-transport.md says',
    );
  }
}

/**
 * What a service has settled is counted in the positions of one queue; in another they mean other messages.
 * @throws QueueReplaced
 */
export async function claimQueue(service: string, database: DataSource, transport: Transport): Promise<void> {
  const identity = await transport.identity();
  await database.query(CLAIM, [identity]);
  const [claimed] = (await database.query(CLAIMED)) as [{ identity: string }];
  if (claimed.identity !== identity) throw new QueueReplaced(service, claimed.identity, identity);
}
