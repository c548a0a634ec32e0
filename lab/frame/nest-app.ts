import 'reflect-metadata';
import type { ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MessagingModule } from '#messaging';
import { queueAs, told } from './inside.js';

class LabModule {}

/**
 * A Nest app with the messaging library, as a user of the library writes it. It has started when this resolves.
 * @param instance the same name at each start, so that it gets its partitions and leases back at once
 */
export async function startApp(
  instance: string,
  parts: Pick<ModuleMetadata, 'controllers' | 'providers'>,
): Promise<NestFastifyApplication> {
  const messaging = MessagingModule.forRootAsync({
    useFactory: async () => ({
      service: 'lab',
      instance,
      publishes: [told('LAB_TOPIC')],
      transport: await queueAs(instance),
    }),
  });
  const database = TypeOrmModule.forRoot({ type: 'postgres', url: told('DATABASE_URL') });
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: LabModule, imports: [database, messaging], ...parts },
    new FastifyAdapter(),
    { logger: false },
  );
  await app.init();
  return app;
}
