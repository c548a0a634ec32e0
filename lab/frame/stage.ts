import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Transport } from '#messaging';
import type { RunningShop } from '#shop-kit';
import type { Arm, Size } from './arms.js';
import { LabProcess } from './lab-process.js';
import { openQueue } from './queue.js';
import { Recording } from './recording.js';

/** What the frame tells of an arm while it runs. */
export interface Watcher {
  say(line: string): void;
  progress(done: number, total: number): void;
}

/** Where one arm of an experiment takes place. Whatever is opened through it is closed when the arm is over. */
export class Stage<S extends Size = Size> {
  readonly recording = new Recording();
  /** A topic of its own, and a prefix for names. */
  readonly topic: string;
  private readonly closing: (() => Promise<unknown>)[] = [];
  private environment: Record<string, string> | undefined;

  constructor(
    readonly arm: Arm,
    readonly size: S,
    readonly shop: RunningShop,
    private readonly watcher: Watcher,
  ) {
    this.topic = `lab-${arm}-${randomUUID().slice(0, 8)}`;
  }

  /** A line for whoever watches. */
  say(line: string): void {
    this.watcher.say(`${this.arm}: ${line}`);
  }

  /** How much of the load is done. */
  progress(done: number, total: number): void {
    this.watcher.progress(done, total);
  }

  /** Adds to a series that counts. */
  count(series: string, by = 1): void {
    this.recording.count(series, by);
  }

  /** Adds a value to a series. */
  record(series: string, value: number): void {
    this.recording.record(series, value);
  }

  /** Notes that something happened, such as a fault. It is a line in the plots. */
  mark(what: string): void {
    this.recording.mark(what);
  }

  /** Closes it when the arm is over, the last first. */
  onEnd(close: () => Promise<unknown>): void {
    this.closing.push(close);
  }

  /** A new database in the shop's PostgreSQL, with these tables. */
  async database(schema: string): Promise<{ url: string; database: pg.Pool }> {
    const name = this.topic.replaceAll('-', '_');
    const administrator = new pg.Pool({ connectionString: await this.shop.databaseUrl('postgres') });
    await administrator.query(`CREATE DATABASE ${name}`);
    await administrator.end();
    const url = await this.shop.databaseUrl(name);
    const database = new pg.Pool({ connectionString: url });
    this.onEnd(() => database.end());
    await database.query(schema);
    return { url, database };
  }

  /** The shop's queue, as an instance of its own. */
  async queue(instance = `lab-${randomUUID()}`): Promise<Transport> {
    const queue = await openQueue(await this.queueEnvironment(), instance);
    this.onEnd(() => queue.close());
    return queue;
  }

  /**
   * Starts a program of the lab as a process: it can be killed.
   * @param program its path in `lab/`, without the extension
   * @param env what it is told, besides the queue's address and the topic
   */
  async start(program: string, env: Readonly<Record<string, string>>): Promise<LabProcess> {
    const started = LabProcess.start(program, {
      ...(await this.queueEnvironment()),
      LAB_TOPIC: this.topic,
      ...env,
    });
    this.onEnd(() => started.stop());
    return started;
  }

  async end(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }

  private async queueEnvironment(): Promise<Record<string, string>> {
    this.environment ??= await this.shop.environmentOf('order-1');
    const named = Object.entries(this.environment).filter(([name]) => /^SLUICE_(TRANSPORT|KAFKA)/.test(name));
    return Object.fromEntries(named);
  }
}
