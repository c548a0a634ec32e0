import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ApplicationConfig, GraphInspector, ModuleRef, type NestContainer } from '@nestjs/core';
import { NestMicroservice } from '@nestjs/microservices';
import type { Transport } from '../transport/transport.js';
import { MessagingServer } from './messaging-server.js';
import { MESSAGE_TRANSPORT } from './options.js';

/**
 * Connects MessagingServer to the app that it is part of, as `app.connectMicroservice` does with
 * `inheritAppConfig`, starts it with the app and closes it with the app.
 */
@Injectable()
export class ConnectedServer
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    private readonly modules: ModuleRef,
    private readonly server: MessagingServer,
    @Inject(MESSAGE_TRANSPORT) private readonly transport: Transport,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    // Nest gives the container to no provider, and otherwise only the app itself can connect a server.
    const { container } = this.modules as unknown as { container: NestContainer };
    const config = container.applicationConfig ?? new ApplicationConfig();
    const microservice = new NestMicroservice(
      container,
      { strategy: this.server },
      new GraphInspector(container),
      config,
    );
    microservice.setIsInitHookCalled(true);
    microservice.registerListeners();
    await new Promise<void>((resolve, reject) =>
      this.server.listen(error => (error === undefined ? resolve() : reject(error as Error))),
    );
  }

  /** Finishes the work in progress while everything that handlers use is still available. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.server.close();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.transport.close();
  }
}
