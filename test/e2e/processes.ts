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

/** `kill -9`. @returns false when it had just ended by itself */
export function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
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
