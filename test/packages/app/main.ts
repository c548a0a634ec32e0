import 'reflect-metadata';
import {
  type ArgumentsHost,
  Catch,
  ConflictException,
  Controller,
  Get,
  HttpException,
  Injectable,
  Module,
} from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  defineEvent,
  type EventOf,
  Handle,
  MessagingModule,
  MessagingMonitor,
  Outbox,
} from '@sluice/messaging';
import { KafkaTransport } from '@sluice/transport-kafka';
import { PostgresTransport } from '@sluice/transport-postgres';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';

/** An app as a user of the packages writes it: it has the packages and nothing else of the shop. */
const { DATABASE_URL = '', QUEUE_URL = '' } = process.env;

const OrderPaid = defineEvent({
  type: 'order.paid.v1',
  topic: 'order',
  key: event => event.orderId,
  schema: z.object({ orderId: z.uuid(), totalMinor: z.int() }),
});
type OrderPaid = EventOf<typeof OrderPaid>;

@Controller()
class AwardPointsHandler {
  @Handle(OrderPaid, { name: 'points.award-on-order-paid', batch: 10 })
  async award(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    for (const { orderId } of events) await tx.query('INSERT INTO points (order_id) VALUES ($1)', [orderId]);
  }
}

@Controller()
class OrdersController {
  @Get('refused')
  refused(): never {
    throw new ConflictException('already paid');
  }
}

/** The app's own way of answering errors: the library must leave it in place. */
@Catch(HttpException)
class RefusalFilter {
  catch(error: HttpException, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<{ code(status: number): { send(body: object): void } }>();
    reply.code(error.getStatus()).send({ refused: error.message });
  }
}

@Injectable()
class PayOrder {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  async pay(orderId: string, fail: boolean): Promise<void> {
    await this.database.transaction(async tx => {
      await this.outbox.publish(tx, OrderPaid, { orderId, totalMinor: 1_250 });
      if (fail) throw new Error('rolled back');
    });
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url: DATABASE_URL }),
    MessagingModule.forRootAsync({
      useFactory: () => ({
        service: 'points',
        instance: 'points-1',
        publishes: ['order'],
        transport: new PostgresTransport({ url: QUEUE_URL, instance: 'points-1' }),
      }),
    }),
  ],
  controllers: [AwardPointsHandler, OrdersController],
  providers: [PayOrder, { provide: APP_FILTER, useClass: RefusalFilter }],
})
class AppModule {}

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
  logger: ['error'],
});
const database = app.get(DataSource);
await database.query('CREATE TABLE points (order_id uuid PRIMARY KEY)');
await app.init();
const paying = app.get(PayOrder);
await paying.pay('00000000-0000-4000-8000-000000000001', true).catch(() => undefined);
await paying.pay('00000000-0000-4000-8000-000000000002', false);
const monitor = app.get(MessagingMonitor);
// The effect comes first, the group's position in the queue after it.
const settled = async () => (await monitor.subscriptions(true))[0];
let state = await settled();
for (; state?.handled !== 1 || state.lag !== 0; state = await settled())
  await new Promise(done => setTimeout(done, 20));
const points: unknown = await database.query('SELECT order_id FROM points');
const refused = (await app.inject('/refused')).json<object>();
await app.close();
process.stdout.write(JSON.stringify({ points, state, refused, kafka: KafkaTransport.name }));
