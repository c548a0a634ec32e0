import type { DataSource, EntityManager, EntitySubscriberInterface, TransactionCommitEvent } from 'typeorm';
import { Listener, type ListeningClient, type Statement } from './listener.js';
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from './session-limits.js';

/** What a committed transaction can leave to be done. */
const WORK = ['outbox', 'timers', 'parked', 'resumed'] as const;
export type Work = (typeof WORK)[number];

const CHANNEL = 'sluice_work';
const TELL = `SELECT pg_notify('${CHANNEL}', $1)`;
const LEFT = 'sluice.work';

/** A heartbeat that gets no answer must not cost a lease. */
const LIMITS: SessionLimits = { ...DEFAULT_SESSION_LIMITS, silentMs: 4_000 };

/** What a DataSource's driver has besides its interface: a pool of `pg`, which knows how to make a connection. */
interface Pooled {
  readonly master: { readonly Client: new (options: object) => ListeningClient; readonly options: object };
}

/** Notes, in a transaction, that it leaves something to be done once it has committed. */
export function leave(tx: EntityManager, work: Work): void {
  const { data } = tx.queryRunner!;
  ((data[LEFT] ??= new Set<Work>()) as Set<Work>).add(work);
}

/**
 * Wakes who waits for work on a service's database: in this process after, and only after, the commit that has left it,
 * in other instances by NOTIFY. A signal can be lost with a connection or a process: who waits looks now and then as well.
 */
export class WorkSignals {
  private readonly listeners = new Map<Work, Set<() => void>>(WORK.map(work => [work, new Set()]));
  private readonly shared = new Map<Work, () => boolean>([['resumed', () => true]]);
  private readonly untold = new Set<Work>();
  private telling: Promise<void> | undefined;
  private listener: Listener | undefined;
  private name = '';
  private readonly subscriber: EntitySubscriberInterface;

  private constructor(private readonly database: DataSource) {
    this.subscriber = {
      afterTransactionCommit: ({ queryRunner: { data, isTransactionActive } }: TransactionCommitEvent) => {
        // It was a savepoint of a transaction that goes on.
        if (isTransactionActive) return;
        const left = data[LEFT] as Set<Work> | undefined;
        data[LEFT] = undefined;
        for (const work of left ?? []) this.left(work);
      },
    };
  }

  private static readonly known = new WeakMap<DataSource, WorkSignals>();

  /** The signals of a database: the same for everyone in this process. */
  static of(database: DataSource): WorkSignals {
    const signals = WorkSignals.known.get(database) ?? new WorkSignals(database);
    WorkSignals.known.set(database, signals);
    // A DataSource that is initialized again has forgotten it.
    if (!database.subscribers.includes(signals.subscriber)) database.subscribers.push(signals.subscriber);
    return signals;
  }

  /** @returns a function that ends it */
  on(work: Work, listener: () => void): () => void {
    const listeners = this.listeners.get(work)!;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** There may be work. */
  wake(work: Work): void {
    for (const listener of this.listeners.get(work)!) listener();
  }

  /** Something that was committed has left work. */
  left(work: Work): void {
    this.wake(work);
    if (this.shared.get(work)?.() !== true) return;
    this.untold.add(work);
    this.telling ??= this.tell().finally(() => (this.telling = undefined));
  }

  /** Has other instances told of this kind of work while the condition holds. */
  shareWhile(work: Work, condition: () => boolean): void {
    this.shared.set(work, condition);
  }

  /** Hears from now on what other instances tell. @param instance a name that no other instance has */
  listen(instance: string): void {
    if (this.listener !== undefined) return;
    this.name = instance;
    const { Client, options } = (this.database.driver as unknown as Pooled).master;
    this.listener = new Listener(() => new Client(options), LIMITS);
    this.listener.on(CHANNEL, payload => {
      const [teller, ...told] = payload === '' ? ['', ...WORK] : payload.split(' ');
      if (teller !== this.name) for (const work of WORK.filter(each => told.includes(each))) this.wake(work);
    });
    this.listener.openEventually();
  }

  /** Asks over the listening connection, or over another while it is away. */
  async ask<Row>(statement: Statement): Promise<readonly Row[]> {
    const rows = await this.listener?.ask<Row>(statement).catch(() => undefined);
    return rows ?? ((await this.database.query(statement.text, statement.values)) as Row[]);
  }

  async close(): Promise<void> {
    await this.telling;
    this.untold.clear();
    await this.listener?.close();
    this.listener = undefined;
  }

  /** One statement at a time, however many commits there are. */
  private async tell(): Promise<void> {
    while (this.untold.size > 0) {
      const told = [this.name, ...this.untold].join(' ');
      this.untold.clear();
      await this.database.query(TELL, [told]).catch(() => undefined);
    }
  }
}
