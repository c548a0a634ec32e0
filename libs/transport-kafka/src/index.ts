export { KafkaTransport } from './kafka-transport.js';
export { LIMITS } from './limits.js';
export type { KafkaTransportOptions, SaslOptions, TlsOptions } from './options.js';
