import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Ctx,
  EventPattern,
  KafkaContext,
  type MicroserviceOptions,
  Payload,
  Transport,
} from '@nestjs/microservices';
import { DataSource } from 'typeorm';
import type { OrderPaid } from '#contracts';
import { Header } from '#messaging';
import { INSERT_EFFECT, INSERT_RECEIPT, INSERT_RECEIPT_AND_EFFECT } from './effects.js';
// Imported for its fixes to kafkajs: Nest loads the same copy.
import './kafka-client.js';
import type { NestKafkaOrder, NestKafkaReport } from './nest-kafka.js';
import { Stopwatch } from './measured.js';

/** The baseline: a microservice as Nest's documentation writes it, one transaction per message. */
const { brokers, topic, databaseUrl, partitions, warmUp, messages, effect } = JSON.parse(
  process.env['BENCH_ORDER']!,
) as NestKafkaOrder;
const SUBSCRIPTION = 'bench.follow-order';

// As many connections as messages can be in progress.
const database = new DataSource({ type: 'postgres', url: databaseUrl, poolSize: partitions });

const EFFECTS = {
  /** As most people would write it, with TypeORM's transaction: four round trips. */
  transaction: (messageId: string, { orderId, buyerId, totalMinor }: OrderPaid) =>
    database.transaction(async tx => {
      const fresh = (await tx.query(INSERT_RECEIPT, [SUBSCRIPTION, messageId])) as unknown[];
      if (fresh.length > 0) await tx.query(INSERT_EFFECT, [orderId, buyerId, totalMinor]);
    }),
  /** The fewest round trips that one transaction per message can do with. */
  statement: (messageId: string, { orderId, buyerId, totalMinor }: OrderPaid) =>
    database.query(INSERT_RECEIPT_AND_EFFECT, [SUBSCRIPTION, messageId, orderId, buyerId, totalMinor]),
} as const;

@Controller()
class FollowOrder {
  private committed = 0;
  private inHand = 0;
  private atOnce = 0;
  private stopwatch: Stopwatch | undefined;

  @EventPattern<string>(topic)
  async follow(@Payload() event: OrderPaid, @Ctx() context: KafkaContext): Promise<void> {
    this.inHand += 1;
    this.atOnce = Math.max(this.atOnce, this.inHand);
    await EFFECTS[effect](String(context.getMessage().headers![Header.id]), event);
    this.inHand -= 1;
    this.committed += 1;
    if (this.committed === warmUp) this.stopwatch = new Stopwatch();
    if (this.committed === warmUp + messages)
      process.send!({ ...this.stopwatch!.stop(messages), atOnce: this.atOnce } satisfies NestKafkaReport);
  }
}

@Module({ controllers: [FollowOrder] })
class FollowOrderModule {}

await database.initialize();
const app = await NestFactory.createMicroservice<MicroserviceOptions>(FollowOrderModule, {
  transport: Transport.KAFKA,
  options: {
    client: { clientId: 'bench', brokers: [...brokers] },
    consumer: { groupId: topic },
    subscribe: { fromBeginning: true },
    // Nest always passes kafkajs an eachMessage and awaits the handler in it, so the messages of a partition
    // are handled one after the other. This is the only setting that handles partitions in parallel, and it
    // cannot use more than there are. kafkajs commits offsets once a fetched batch is done, the cheapest it
    // can do. A fetch takes up to 1 MiB per partition, so fetching is not part of what is measured.
    run: { partitionsConsumedConcurrently: partitions },
  },
  logger: ['error', 'fatal'],
});
await app.listen();
process.on('disconnect', () => process.exit());
