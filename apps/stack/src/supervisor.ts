import { type ChildProcess, fork } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import {
  createWriteStream,
  existsSync,
  fchmodSync,
  openSync,
  writeFileSync,
  type WriteStream,
} from 'node:fs';
import { setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { inheritedEnvironment } from '#server-process';
import { StartRefused } from './start-refused.js';

/** Pauses before a process that ended soon after its start is started again. */
const RESTART = { firstMs: 400, longestMs: 5_000 };
/** A process that lived this long starts again at once. */
const STEADY_MS = 30_000;
/** How often a process may end before it is ever ready. */
const MOST_DEATHS = 3;
/** How many of its last lines are told then. */
const MOST_WORDS = 5;
const STDIO = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
/** How long a process may take to end before it is killed: longer than its own limit. */
export const STOP_MS = 12_000;

/** What is to run, and how. */
export interface ProcessToRun {
  readonly app: string;
  readonly instance: string;
  readonly env: Readonly<Record<string, string>>;
  /** The command-line flags of Node. */
  readonly flags: string[];
  /** Nice value. */
  readonly priority: number;
  /** Whether others of its app listen on the same port. */
  readonly sharesPort: boolean;
}

/** Keeps one process of an app running: starts it again when it dies, ends it when asked. */
export class Supervised {
  private child: ChildProcess | undefined;
  private readonly log: WriteStream;
  private readonly logFile: string;
  private wasReady = false;
  /** The last lines that it wrote. */
  private lastWords: string[] = [];
  private stopping = false;
  private failures = 0;
  /** It was asked to end only to be restarted. */
  private restarting = false;

  constructor(
    private readonly process: ProcessToRun,
    private readonly dataDir: string,
    private readonly say: (line: string) => void,
    /** What it runs; by default the app. */
    private readonly program?: string,
    /** Whether what it needs is away, so that its end says nothing of itself. */
    private readonly isExcused: () => boolean = () => false,
  ) {
    this.logFile = join(dataDir, 'logs', `${process.instance}.log`);
    // For the shop's own account alone, also a file of an earlier version.
    const fd = openSync(this.logFile, 'a', 0o600);
    fchmodSync(fd, 0o600);
    this.log = createWriteStream(this.logFile, { fd });
    this.log.on('error', error => say(`${process.instance}: its log is lost: ${error.message}`));
  }

  get app(): string {
    return this.process.app;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /**
   * Resolves when the process reports ready. It is restarted when it dies.
   * @throws StartRefused with its last words when it has ended several times before it was ever ready
   */
  async start(): Promise<void> {
    await new Promise<void>((ready, refuse) => this.launch(ready, refuse));
    this.wasReady = true;
  }

  /** Ends it in order and starts it again, for example with new code. */
  restart(): void {
    this.restarting = true;
    this.child?.kill('SIGTERM');
  }

  /** Asks it to end, and kills it if it takes too long. */
  async stop(): Promise<void> {
    this.stopping = true;
    const { child } = this;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      const tooLong = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(tooLong);
    }
    this.log.end();
  }

  /** Background work yields the processor. */
  private giveWay(pid: number | undefined): void {
    const { priority } = this.process;
    if (priority === 0 || pid === undefined) return;
    try {
      setPriority(pid, priority);
      // Linux weighs sessions first, then the processes in a session; each of ours is a session of its own.
      writeFileSync(`/proc/${pid}/autogroup`, String(priority));
    } catch {
      // It has already ended, which its exit handler deals with, or this system does not weigh sessions.
    }
  }

  private launch(ready: () => void, refuse: (error: Error) => void = () => undefined): void {
    const startedAt = performance.now();
    // The arguments are for whoever reads `ps`: which instance of which shop.
    const { instance, flags, sharesPort } = this.process;
    const args = [instance, this.dataDir];
    const env = { ...inheritedEnvironment(), ...this.process.env, ...compileCacheFor(flags) };
    const program = this.program ?? programOf(this.process.app);
    const child = sharesPort
      ? forkSharingPort(program, args, env, flags)
      : // In its own process group: Ctrl-C reaches only the launcher, which ends the shop in order.
        fork(program, args, { env, execArgv: flags, stdio: [...STDIO], detached: true });
    this.child = child;
    this.giveWay(child.pid);
    child.stdout!.pipe(this.log, { end: false });
    child.stderr!.pipe(this.log, { end: false });
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => {
        if (this.wasReady) return;
        const lines = chunk.toString().split('\n').filter(Boolean);
        this.lastWords = [...this.lastWords, ...lines].slice(-MOST_WORDS);
      });
    child.on('message', message => {
      if ((message as { kind?: string }).kind === 'ready') ready();
    });
    const ended = (code: number | null, signal: string | null) => {
      if (this.stopping) return;
      if (this.restarting) {
        this.restarting = false;
        this.launch(() => this.say(`${instance} was started again`));
        return;
      }
      const excused = this.isExcused();
      if (!this.wasReady && !excused && this.failures + 1 >= MOST_DEATHS) {
        const how = signal ?? `code ${code}`;
        const words = this.lastWords.join(' | ').slice(0, 1_000);
        refuse(
          new StartRefused(
            `${instance} ended ${MOST_DEATHS} times while starting (${how}); its last words: ${words}; see ${this.logFile}`,
          ),
        );
        return;
      }
      if (!excused) this.failures = performance.now() - startedAt > STEADY_MS ? 0 : this.failures + 1;
      const pause = excused
        ? RESTART.firstMs
        : this.failures <= 1
          ? 0
          : Math.min(RESTART.firstMs * 2 ** (this.failures - 2), RESTART.longestMs);
      this.say(`${instance} ended (${signal ?? `code ${code}`}), starting it again; see ${this.logFile}`);
      setTimeout(() => {
        if (this.stopping) return;
        this.launch(() => {
          ready();
          this.say(`${instance} was started again`);
        }, refuse);
      }, pause);
    };
    child.once('exit', ended);
    child.once('error', error => {
      this.say(`${instance} cannot be started: ${error.message}`);
      // A process that never was does not exit.
      if (child.pid === undefined) ended(null, error.message);
    });
  }
}

/**
 * A process that listens on the same port as others of its app. The launcher holds the port and distributes
 * the connections; one that reaches a process that is shutting down goes to another. It is in the launcher's
 * own process group.
 */
function forkSharingPort(
  exec: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  execArgv: string[],
): ChildProcess {
  cluster.setupPrimary({ exec, args, execArgv, stdio: [...STDIO] });
  // It adds our whole environment to what it is given; what is not for the child is taken out again.
  const nothing = Object.fromEntries(Object.keys(process.env).map(name => [name, undefined]));
  return cluster.fork({ ...nothing, ...env }).process;
}

/** The app in the bundle, which starts faster, or as it was compiled where there is none, as in watch mode. */
function programOf(app: string): string {
  const compiled = resolve(import.meta.dirname, `../../${app}/src/main.js`);
  const bundled = resolve(import.meta.dirname, `../../../bundle/apps/${app}/src/main.js`);
  return process.env['SLUICE_UNBUNDLED'] === undefined && existsSync(bundled) ? bundled : compiled;
}

/**
 * Each set of flags has its own cache of compiled code: in a shared one, processes with different flags would
 * discard each other's code and write all of it again each time they end.
 */
function compileCacheFor(flags: readonly string[]): Record<string, string> {
  const base = process.env['NODE_COMPILE_CACHE'];
  return base === undefined
    ? {}
    : { NODE_COMPILE_CACHE: join(base, flags.join('').replaceAll(/[^a-z0-9]+/g, '-')) };
}
