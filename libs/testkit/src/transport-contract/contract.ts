import { randomUUID } from 'node:crypto';
import type { Batch, SubscribeOptions, Transport, TransportSubscription, WireMessage } from '#messaging';
import { eventually, Gathered } from '../gather.js';
import { TransportWorker } from '../transport-worker-handle.js';
import type { WorkerOrder } from '../transport-worker.js';

/** What a transport provides for the contract suite. */
export interface TransportUnderTest {
  /** A connection as a separate instance. Its lease, if it has one, is short. */
  connect(): Transport;
  /** How long a silent instance keeps its partitions, in ms. */
  readonly leaseMs: number;
  /** The module that a worker process connects with, and the options to pass to its `connect`. */
  worker(): Pick<WorkerOrder, 'module' | 'options'>;
  /** Restarts the server; resolves when it accepts connections again. */
  restartServer(): Promise<void>;
  stop(): Promise<void>;
}

/** What the parts of the suite share: the transport under test, and everything that a test opened on it. */
export class Contract {
  private started: TransportUnderTest | undefined;
  private opened: Transport[] = [];
  private workers: TransportWorker[] = [];

  get subject(): TransportUnderTest {
    if (this.started === undefined) throw new Error('the transport under test has not been started');
    return this.started;
  }

  async start(start: () => Promise<TransportUnderTest>): Promise<void> {
    this.started = await start();
  }

  /** Closes what one test opened. */
  async reset(): Promise<void> {
    await Promise.all(this.workers.map(worker => worker.kill()));
    await Promise.all(this.opened.map(transport => transport.close()));
    [this.opened, this.workers] = [[], []];
  }

  /** A connection as a separate instance. */
  readonly connect = (): Transport => {
    const transport = this.subject.connect();
    this.opened.push(transport);
    return transport;
  };

  /** A new topic, and a connection. */
  readonly topicWith = async (partitions: number): Promise<{ transport: Transport; topic: string }> => {
    const transport = this.connect();
    const topic = `t-${randomUUID()}`;
    await transport.ensureTopics([{ name: topic, partitions }]);
    return { transport, topic };
  };

  /** A subscriber in its own process, which handles `holdAfter` messages and holds the next. */
  readonly startWorker = async (
    topic: string,
    group: string,
    holdAfter?: number,
  ): Promise<TransportWorker> => {
    const order = { ...this.subject.worker(), topic, group, maxBatch: 1, holdAfter };
    const worker = await TransportWorker.start(order);
    this.workers.push(worker);
    return worker;
  };

  /** Subscribes, and gathers the payloads whose handler resolved. */
  readonly collect = async (
    transport: Transport,
    topic: string,
    options: Partial<SubscribeOptions> = {},
    handle: (batch: Batch) => Promise<void> = async () => {},
  ): Promise<{ received: Gathered<string>; subscription: TransportSubscription }> => {
    const received = new Gathered<string>();
    const subscription = await transport.subscribe(
      { group: 'g', topics: [topic], mode: 'competing', startFrom: 'start', maxBatch: 100, ...options },
      async batch => {
        await handle(batch);
        received.add(...batch.messages.map(message => message.payload.toString()));
      },
    );
    return { received, subscription };
  };
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n);
}

export function text(topic: string, key: string, payload: string): WireMessage {
  return { topic, key, headers: {}, payload: Buffer.from(payload) };
}

export function ofKey(payloads: readonly string[], key: number): string[] {
  return payloads.filter(payload => payload.startsWith(`${key}:`));
}

/** Resolves when the group has `expected` messages still to do. */
export function lagIs(transport: Transport, group: string, expected: number): Promise<number> {
  return eventually(
    () => lagOf(transport, group),
    lag => lag === expected,
  );
}

export async function lagOf(transport: Transport, group: string): Promise<number> {
  return (await transport.lag(group)).reduce((total, each) => total + each.lag, 0);
}
