import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inheritedEnvironment } from './inherited-environment.js';

export interface ServerCommand {
  /** For errors: `PostgreSQL`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** The working directory; the root directory if left out, so that the process keeps no other one in use. */
  readonly cwd?: string;
  /** Our open files that the program gets as its descriptors 3, 4 and so on. */
  readonly descriptors?: readonly number[];
  /** Part of the log line by which the server says that it accepts connections. */
  readonly ready: string;
  /** Called at once, long before the server is ready: it may have to be stopped before then. */
  readonly onSpawn?: (server: ServerProcess) => void;
}

/** The server exited before it was ready. The message has its last output. */
export class ServerStartError extends Error {}

/** A server program that runs as a child of this process. */
export class ServerProcess {
  private expected = false;
  private unexpectedExit: (() => void) | undefined;

  private constructor(private readonly child: ChildProcess) {
    child.once('exit', () => {
      if (!this.expected) this.unexpectedExit?.();
    });
  }

  /**
   * Resolves when the server says that it is ready.
   * @throws ServerStartError
   */
  static async start({ name, ready, onSpawn, ...command }: ServerCommand): Promise<ServerProcess> {
    const child = spawnServer(command);
    const words = collect(child);
    const server = new ServerProcess(child);
    if (child.pid !== undefined) onSpawn?.(server);
    await new Promise<void>((resolve, reject) => {
      child.once('error', error =>
        reject(new ServerStartError(`${name} cannot be run: ${error.message}`, { cause: error })),
      );
      child.once('exit', () => reject(new ServerStartError(`${name} did not start: ${words.last()}`)));
      words.onLine(line => {
        if (line.includes(ready)) resolve();
      });
    });
    return server;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Sends the signal and waits until the process has exited. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.expected = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }

  /** Called when the server exits unexpectedly. */
  onUnexpectedExit(listener: () => void): void {
    this.unexpectedExit = listener;
  }
}

/**
 * Runs a program that ends by itself.
 * @returns its exit code, its output, and the end of the output
 */
export async function runProgram(
  command: Omit<ServerCommand, 'name' | 'ready' | 'onSpawn'>,
): Promise<{ code: number | null; output: string; lastWords: string }> {
  const child = spawnServer(command);
  const words = collect(child);
  const output: string[] = [];
  words.onLine(line => output.push(line));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output.join('\n'), lastWords: words.last() };
}

/** How long a server that a killed launcher left behind may take to exit, in ms. */
const LONGEST_END_MS = 60_000;

/**
 * Stops a server that a killed launcher left behind. The caller has checked that the process is that server.
 * @throws ServerStartError when it does not end
 */
export async function endLeftover(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(pid)) return;
  process.kill(pid, signal);
  for (const until = performance.now() + LONGEST_END_MS; isRunning(pid);) {
    if (performance.now() > until) {
      throw new ServerStartError(
        `process ${pid}, left behind by an earlier start, did not exit within ${LONGEST_END_MS / 1_000} s; ` +
          'stop it and start again',
      );
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** Whether a process runs. One that has ended and whose parent has not collected it yet does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // `<pid> (<name>) <state> …`, and a name may contain anything.
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return !existsSync('/proc/self/stat');
  }
}

// In its own session: Ctrl-C reaches only the launcher, which stops the apps before their servers.
function spawnServer({
  command,
  args,
  env = inheritedEnvironment(),
  cwd = '/',
  descriptors = [],
  ...ids
}: Omit<ServerCommand, 'name' | 'ready' | 'onSpawn'>): ChildProcess {
  return spawn(command, args, {
    ...ids,
    env,
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
  });
}

function collect(child: ChildProcess) {
  const lines: string[] = [];
  const listeners: ((line: string) => void)[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', line => {
      if (lines.push(line) > 20) lines.shift();
      for (const listener of listeners) listener(line);
    });
  }
  return {
    last: () => lines.filter(Boolean).slice(-3).join(' | '),
    onLine: (listener: (line: string) => void) => listeners.push(listener),
  };
}
