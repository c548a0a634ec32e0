import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { Gathered } from './gather.js';
import type { WorkerOrder, WorkerReport } from './transport-worker.js';

/** A subscriber in its own process. */
export class TransportWorker {
  readonly reports = new Gathered<WorkerReport>();

  private constructor(private readonly child: ChildProcess) {
    child.on('message', report => this.reports.add(report as WorkerReport));
  }

  /** Resolves when it has subscribed. */
  static async start(order: WorkerOrder): Promise<TransportWorker> {
    const child = fork(resolve('dist/libs/testkit/src/transport-worker.js'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
    });
    const worker = new TransportWorker(child);
    child.send(order);
    const ended = once(child, 'exit').then(() =>
      Promise.reject(new Error('the worker ended before it was ready')),
    );
    await Promise.race([
      worker.reports.until(reports => reports.some(report => report.kind === 'ready')),
      ended,
    ]);
    ended.catch(() => undefined);
    return worker;
  }

  /** What it has handled so far. */
  get handled(): string[] {
    return this.reports.items.flatMap(report => (report.kind === 'handled' ? report.payloads : []));
  }

  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Kills it, as a power failure would. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}
