import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { CHECKOUT } from '#shop-kit';

/** A program of the lab that runs as a process of its own. It reports by messages. */
export class LabProcess {
  private readonly exited: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    this.exited = once(child, 'exit');
  }

  static start(program: string, env: Readonly<Record<string, string>>): LabProcess {
    const child = fork(join(CHECKOUT, 'dist/lab', `${program}.js`), {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new LabProcess(child);
  }

  /** Called with each of its reports. */
  onReport(listener: (report: Report) => void): void {
    this.child.on('message', report => listener(report as Report));
  }

  /** The next report of this kind. @throws Error when it ends before */
  async report(kind: string): Promise<Report> {
    const found = new Promise<Report>(resolve => {
      this.child.on('message', report => {
        if ((report as Report).kind === kind) resolve(report as Report);
      });
    });
    const ended = this.exited.then(() => {
      throw new Error(`a process of the lab ended before it was ${kind}`);
    });
    const first = Promise.race([found, ended]);
    ended.catch(() => undefined);
    return first;
  }

  /** Whether it killed itself or was killed; resolves when it is gone. */
  async ended(): Promise<NodeJS.Signals | null> {
    await this.exited;
    return this.child.signalCode;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.child.kill('SIGTERM');
    await this.exited;
  }
}

/** What a process of the lab tells. */
export interface Report {
  readonly kind: string;
  readonly count?: number;
  readonly ms?: number;
}
