import type { Socket } from 'node:net';

/** How long a connection to PostgreSQL may hold up others, in ms. Limits that the server already has stay as they are. */
export interface SessionLimits {
  /** A transaction whose client does nothing is rolled back after this: its process is frozen, or hangs. */
  readonly idleInTransactionMs: number;
  /** How long a statement waits for a lock. */
  readonly lockMs: number;
  /** How long a statement may take. */
  readonly statementMs: number;
  /** A connection on which nothing has come for this long, although a statement is under way, is given up. */
  readonly silentMs: number;
}

/** For a service's own database, whose handlers may call others in the middle of a transaction. */
export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  idleInTransactionMs: 20_000,
  lockMs: 10_000,
  statementMs: 30_000,
  silentMs: 35_000,
};

/** What of a client of `pg` is needed here. */
export interface BoundedClient {
  query(text: string, values: unknown[]): Promise<unknown>;
  readonly connection?: { readonly stream?: Socket };
  _getActiveQuery?(): unknown;
}

// 0 means that the server has no limit. Settings that it does not know are left out.
const SET_LIMITS = `
SELECT set_config(name, value, false) FROM (VALUES
  ('idle_in_transaction_session_timeout', $1), ('lock_timeout', $2), ('statement_timeout', $3),
  ('client_connection_check_interval', '5s')
) AS wanted(name, value) WHERE current_setting(name, true) = '0'`;

const bounded = new WeakSet<BoundedClient>();

/**
 * Gives a connection its limits; a second call does nothing. The server ends what a frozen client holds. This process
 * ends a connection that has silently died: nothing else would notice it for many minutes.
 */
export async function limitSession(client: BoundedClient, limits: SessionLimits): Promise<void> {
  if (bounded.has(client)) return;
  bounded.add(client);
  const { idleInTransactionMs, lockMs, statementMs, silentMs } = limits;
  const stream = client.connection?.stream;
  stream?.setTimeout(silentMs, () => {
    if (client._getActiveQuery?.() == null) return;
    const error = new Error(`PostgreSQL has said nothing for ${silentMs} ms; the connection is given up`);
    stream.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
  });
  await client.query(SET_LIMITS, [idleInTransactionMs, lockMs, statementMs].map(String));
}
