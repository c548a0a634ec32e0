export { openTransport } from './open-transport.js';
export { TransportConfig } from './transport-config.js';
