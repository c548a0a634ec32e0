import { PostgresTransport, type PostgresTransportOptions } from './postgres-transport.js';

/** How the contract suite's worker processes connect. */
export function connect(options: PostgresTransportOptions): PostgresTransport {
  return new PostgresTransport(options);
}
