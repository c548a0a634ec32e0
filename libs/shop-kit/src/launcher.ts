import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { NotInTime } from './client/until.js';

export interface LaunchOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** As after `npm start --`. */
  readonly args?: readonly string[];
}

const READY = 'Sluice is ready at ';
/** How many of its last lines are told when it does not start. */
const MOST_WORDS = 20;

/** The checkout, also for the compiled library in `dist`. */
export const CHECKOUT = checkoutOf(import.meta.dirname);

/** The shop's own launcher, as a process. It stops the shop when we ask, and when we are gone. */
export class Launcher {
  /** Everything that it has said. */
  readonly lines: string[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly exited: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', line => {
        this.lines.push(line);
        this.tell();
      });
    this.exited = once(child, 'close').then(() => child.exitCode);
    void this.exited.then(() => this.tell());
  }

  /** @throws Error when the checkout is not built */
  static launch({ dataDir, env, args = [] }: LaunchOptions): Launcher {
    const program = join(CHECKOUT, 'dist/apps/stack/src/main.js');
    if (!existsSync(program))
      throw new Error(`${CHECKOUT} is not built; run npm start or npm test there once`);
    const own = join(CHECKOUT, 'node_modules/.bin/node');
    const child = spawn(existsSync(own) ? own : process.execPath, [program, ...args], {
      cwd: CHECKOUT,
      env: {
        NODE_COMPILE_CACHE: join(CHECKOUT, 'dist/.compile-cache'),
        ...process.env,
        // What runs us, such as a test runner, needs other options than an app.
        NODE_OPTIONS: '',
        PORT: '0',
        ...env,
        SLUICE_DATA_DIR: dataDir,
      },
      // By the end of the IPC channel it notices that we are gone, however we ended.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    return new Launcher(child);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** The shop's URL, once all of it is up. @throws Error with the launcher's last words when it cannot start */
  async ready(): Promise<string> {
    const url = () => this.lines.find(line => line.startsWith(READY))?.slice(READY.length);
    await this.heard(() => url() !== undefined);
    if (url() === undefined)
      throw new Error(`the shop did not start: ${this.lines.slice(-MOST_WORDS).join('\n')}`);
    // From now on, whoever forgets to stop the shop ends all the same, and the shop then too.
    for (const each of [this.child, this.child.channel, this.child.stdout, this.child.stderr])
      (each as { unref?: () => void } | null | undefined)?.unref?.();
    return url()!;
  }

  /** Resolves when what it has said fits. @throws NotInTime; Error when it has ended before */
  async untilSaid(
    what: string,
    fits: (lines: readonly string[]) => boolean,
    withinMs: number,
  ): Promise<void> {
    const latest = new AbortController();
    const timer = setTimeout(() => {
      latest.abort();
      this.tell();
    }, withinMs);
    await this.heard(() => latest.signal.aborted || fits(this.lines));
    clearTimeout(timer);
    if (fits(this.lines)) return;
    const last = this.lines.slice(-MOST_WORDS).join('\n');
    if (latest.signal.aborted) throw new NotInTime(what, withinMs, last);
    throw new Error(`the launcher ended before ${what}; it said: ${last}`);
  }

  send(message: object): void {
    this.child.send(message);
  }

  /** The exit code, once it has ended. */
  async ended(): Promise<number | null> {
    this.child.ref();
    return this.exited;
  }

  /** Stops the shop in order. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended();
  }

  /** `kill -9` of the launcher alone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended();
  }

  /** Resolves when the condition holds, or when the launcher has ended. */
  private async heard(condition: () => boolean): Promise<void> {
    await new Promise<void>(resolve => {
      const check = () => {
        if (!condition() && this.child.exitCode === null && this.child.signalCode === null) return;
        this.listeners.delete(check);
        resolve();
      };
      this.listeners.add(check);
      check();
    });
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

function checkoutOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : checkoutOf(dirname(folder));
}
