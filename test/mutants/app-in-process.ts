import { randomUUID } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { MessagingMonitor } from '#messaging';
import { operationsOf } from '#requests';
import { createNestApp, migratedDatabase, type TestDatabase, type TestQueue } from '#testkit';

const HOST = '127.0.0.1';

/** An app, as its `main.ts` starts it. */
export interface AppDefinition {
  readonly name: string;
  readonly module: Type;
  /** Left out if it has no database. */
  readonly migrations?: Exclude<DataSourceOptions['migrations'], undefined>;
  /** Its configuration, given the database that it gets. */
  readonly config: (databaseUrl: string) => object;
  /** False if it neither sends nor handles messages. */
  readonly hasMessages?: boolean;
  readonly http?: (app: NestFastifyApplication) => void;
  readonly httpPort?: number;
}

/** One app of the shop, in this process, with a database of its own. */
export class AppInProcess {
  private constructor(
    readonly definition: AppDefinition,
    readonly app: NestFastifyApplication,
    /** Where it answers requests. */
    readonly address: string,
    private readonly own: TestDatabase | undefined,
    private readonly closeQueue: () => Promise<void>,
  ) {}

  static async start(definition: AppDefinition, queue: TestQueue): Promise<AppInProcess> {
    const { name, module, migrations, config, http, httpPort = 0, hasMessages = true } = definition;
    const own = migrations && (await migratedDatabase(migrations));
    const instance = randomUUID();
    const transport = queue.connect(instance);
    const { app, requests } = await createNestApp({
      module,
      config: config(own?.url ?? ''),
      transport,
      instance,
      controllers: own && hasMessages ? [operationsOf(name)] : [],
      http,
      hasMessages,
    });
    await app.listen(httpPort, HOST);
    await app.startAllMicroservices();
    const { port } = requests.unwrap<Server>().address() as AddressInfo;
    return new AppInProcess(definition, app, `${HOST}:${port}`, own, () => transport.close());
  }

  get name(): string {
    return this.definition.name;
  }

  get hasDatabase(): boolean {
    return this.own !== undefined;
  }

  get hasMessages(): boolean {
    return this.definition.hasMessages ?? true;
  }

  get database(): DataSource {
    return this.app.get(DataSource);
  }

  get monitor(): MessagingMonitor {
    return this.app.get(MessagingMonitor);
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.closeQueue();
    await this.own?.drop();
  }
}
