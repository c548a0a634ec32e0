import { KafkaTransport } from './kafka-transport.js';
import type { KafkaTransportOptions } from './options.js';

/** How the contract suite's worker processes connect. */
export function connect(options: KafkaTransportOptions): KafkaTransport {
  return new KafkaTransport(options);
}
