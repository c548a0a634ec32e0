export { KafkaTransport } from './kafka-transport.js';
export type { KafkaTransportOptions, SaslOptions, TlsOptions } from './options.js';
