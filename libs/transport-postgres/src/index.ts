export { PostgresTransport, type PostgresTransportOptions } from './postgres-transport.js';
