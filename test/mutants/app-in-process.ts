import { randomUUID } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import type { Type } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { MESSAGE_TRANSPORT, MESSAGING_INSTANCE, MessagingMonitor, MessagingServer } from '#messaging';
import { operationsOf, requestServer } from '#requests';
import { httpAdapter, secureHttp, SERVICE_CONFIG } from '#service-kit';
import { migratedDatabase, type TestDatabase, type TestQueue } from '#testkit';

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
    const globals = [
      { provide: SERVICE_CONFIG, useValue: config(own?.url ?? '') },
      { provide: MESSAGE_TRANSPORT, useValue: transport },
      { provide: MESSAGING_INSTANCE, useValue: instance },
    ];
    class Root {}
    const root = {
      module: Root,
      global: true,
      imports: [module],
      controllers: own && hasMessages ? [operationsOf(name)] : [],
      providers: globals,
      exports: globals.map(each => each.provide),
    };
    const compiled = await Test.createTestingModule({ imports: [root] }).compile();
    const app = compiled.createNestApplication<NestFastifyApplication>(httpAdapter(), {
      rawBody: true,
      bodyParser: false,
    });
    secureHttp(app, { HTTP_HOSTS: [] });
    http?.(app);
    const inherit = { inheritAppConfig: true };
    const requests = app.connectMicroservice<MicroserviceOptions>(
      requestServer({ host: HOST, port: 0 }),
      inherit,
    );
    if (hasMessages) app.connectMicroservice({ strategy: app.get(MessagingServer) }, inherit);
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
