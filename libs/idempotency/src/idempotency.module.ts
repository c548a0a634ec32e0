import {
  type BeforeApplicationShutdown,
  Controller,
  type DynamicModule,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundTask, type ReplyOf, type RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { KeyedCalls } from './keyed-calls.js';
import { beginKeyedCalls, settleKeyedCalls } from './requests.js';

type Begin = ReturnType<typeof beginKeyedCalls>;
type Settle = ReturnType<typeof settleKeyedCalls>;

/** How often old answers are forgotten, in ms. */
const FORGET_EVERY_MS = 3_600_000;

/** Keeps the keyed calls of one service, in its database. `CreateKeyedCalls…` must be among its migrations. */
@Module({})
export class IdempotencyModule {
  static forService(service: string): DynamicModule {
    return {
      module: IdempotencyModule,
      controllers: [controllerOf(service)],
      providers: [
        {
          provide: KeyedCalls,
          inject: [DataSource],
          useFactory: (database: DataSource) => new KeyedCalls(database),
        },
        ForgetCalls,
      ],
    };
  }
}

function controllerOf(service: string): Type {
  @Controller()
  class KeyedCallsController {
    constructor(private readonly calls: KeyedCalls) {}

    @HandleRequest(beginKeyedCalls(service))
    async begin({ calls }: RequestOf<Begin>): Promise<ReplyOf<Begin>> {
      return { calls: await this.calls.begin(calls) };
    }

    @HandleRequest(settleKeyedCalls(service))
    async settle({ calls }: RequestOf<Settle>): Promise<ReplyOf<Settle>> {
      await this.calls.settle(calls);
      return {};
    }
  }
  return KeyedCallsController;
}

@Injectable()
class ForgetCalls implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(IdempotencyModule.name);
  private readonly task: BackgroundTask;

  constructor(calls: KeyedCalls) {
    const turn = async () => {
      await calls.forget();
      return FORGET_EVERY_MS;
    };
    this.task = new BackgroundTask(turn, {
      firstAfterMs: FORGET_EVERY_MS,
      backoff: { firstMs: FORGET_EVERY_MS, longestMs: FORGET_EVERY_MS },
      onError: error => this.logger.warn(`old answers were not forgotten: ${String(error)}`),
    });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.task.stop();
  }
}
