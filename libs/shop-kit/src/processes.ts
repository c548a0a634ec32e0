import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Program and arguments, separated by spaces. */
  readonly command: string;
}

/** Every process on this machine, except those that have ended and wait for their parent. */
export async function runningProcesses(): Promise<Process[]> {
  return existsSync('/proc/self/stat') ? fromProc() : fromPs();
}

/** A process of a shop. */
export interface Instance {
  readonly pid: number;
  readonly command: string;
  /** Which app it runs, if it is one. */
  readonly app: string | undefined;
  /** Its name in the shop, such as `points-1`. */
  readonly instance: string | undefined;
}

/** Those that belong to the shop on this data directory, by their arguments or by their parent's. */
export function instancesIn(processes: readonly Process[], dataDir: string): Instance[] {
  const named = new Set(processes.filter(each => each.command.includes(dataDir)).map(({ pid }) => pid));
  return processes
    .filter(({ pid, parent }) => named.has(pid) || named.has(parent))
    .map(({ pid, command }) => {
      const [, app, instance] = /dist\/(?:bundle\/)?apps\/([a-z-]+)\/src\/main\.js (\S+)/.exec(command) ?? [];
      return { pid, command, app, instance };
    });
}

/** @returns false when the process had just ended by itself */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Linux, where `ps` is not always installed. */
async function fromProc(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const found = await Promise.all(
    pids.map(async pid => {
      const [stat, command] = await Promise.all([read(pid, 'stat'), read(pid, 'cmdline')]);
      const [, state, parent] = /\) (\S) (\d+)/.exec(stat) ?? [];
      return { pid: Number(pid), parent: Number(parent), state, command: command.replaceAll('\0', ' ') };
    }),
  );
  return found.filter(({ state }) => state !== undefined && state !== 'Z');
}

async function fromPs(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], {
    maxBuffer: 16 * 2 ** 20,
  });
  return [...stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/gm)]
    .filter(([, , , state]) => !state!.startsWith('Z'))
    .map(([, pid, parent, , command]) => ({ pid: Number(pid), parent: Number(parent), command: command! }));
}
