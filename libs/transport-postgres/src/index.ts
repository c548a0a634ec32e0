export { LIMITS } from './limits.js';
export { PostgresTransport, type PostgresTransportOptions } from './postgres-transport.js';
