import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule, defineAudit } from '../../dist/libs/audit/src/index.js';
import { defineFacts, OrderFacts, OrderPlaced, sameSet } from '../../dist/libs/contracts/src/index.js';
import { Handle, MessagingModule, messagingMigrations } from '../../dist/libs/messaging/src/index.js';
import {
  DatabaseConfig,
  readConfig,
  runMessagingService,
  serviceDatabase,
} from '../../dist/libs/service-kit/src/index.js';
import { openTransport, TransportConfig } from '../../dist/libs/transport-choice/src/index.js';

/** A service that nobody in the shop has heard of: it keeps the ids of placed orders. Decorators by hand: no build. */
class CreateSeen1800000000000 {
  name = 'CreateSeen1800000000000';
  up(runner) {
    return runner.query('CREATE TABLE seen (order_id uuid PRIMARY KEY)');
  }
  down(runner) {
    return runner.query('DROP TABLE seen');
  }
}

const NewcomerFacts = defineFacts('newcomer', { seen: 'set' });
const audit = defineAudit({
  facts: NewcomerFacts,
  sets: { seen: 'SELECT order_id AS id FROM seen' },
  numbers: {},
  invariants: [
    sameSet('the newcomer has seen every placed order once', OrderFacts.placed, NewcomerFacts.seen),
  ],
});

class SeeOrdersHandler {
  async see(events, tx) {
    await tx.query('INSERT INTO seen SELECT unnest($1::uuid[])', [events.map(({ orderId }) => orderId)]);
  }
}
const method = Object.getOwnPropertyDescriptor(SeeOrdersHandler.prototype, 'see');
Handle(OrderPlaced, { name: 'newcomer.see-orders', batch: 100 })(SeeOrdersHandler.prototype, 'see', method);
Controller()(SeeOrdersHandler);

class NewcomerModule {}
Module({
  imports: [
    TypeOrmModule.forRootAsync(
      serviceDatabase({ entities: [], migrations: [...messagingMigrations, CreateSeen1800000000000] }),
    ),
    MessagingModule.forService({ service: 'newcomer' }),
    AuditModule.forService('newcomer', audit),
  ],
  controllers: [SeeOrdersHandler],
})(NewcomerModule);

const config = readConfig(DatabaseConfig.and(TransportConfig));
await runMessagingService({
  name: 'newcomer',
  module: NewcomerModule,
  config,
  transport: await openTransport(config),
});
