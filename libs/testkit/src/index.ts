export { Happened, SOON, useParking } from './parking.js';
export { startPostgres, type TestPostgres } from './postgres.js';
export { emptyDatabase, migratedDatabase, TEST_SERVER, type TestDatabase } from './database.js';
export { startKafka, type TestKafka } from './kafka.js';
export { eventually, Gate, Gathered } from './gather.js';
export { effect, MessagingFixture } from './messaging-fixture.js';
export { openTestQueue, TEST_BROKERS, TEST_TRANSPORT, type TestQueue } from './test-queue.js';
export type { TransportUnderTest } from './transport-contract/contract.js';
export { transportContract } from './transport-contract/transport-contract.js';
