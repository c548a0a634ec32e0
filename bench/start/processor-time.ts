import { readdir, readFile } from 'node:fs/promises';

/** Linux counts ended children in ticks of 10 ms. */
const TICK_MS = 10;

/** A process of the shop, and what it has used. */
export interface Usage {
  readonly pid: string;
  /** Processor time of its threads and of its ended children, in ms. */
  readonly processorMs: number;
}

/** What every process has used that belongs to the shop on this data directory. */
export async function usageOf(dataDir: string): Promise<Usage[]> {
  const all = await Promise.all((await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(look));
  const named = new Set(all.filter(each => each.names.includes(dataDir)).map(({ pid }) => pid));
  // PostgreSQL's own processes do not name it.
  return all.filter(({ pid, parent }) => named.has(pid) || named.has(parent));
}

/** In ms. */
export async function processorTimeOf(dataDir: string): Promise<number> {
  return (await usageOf(dataDir)).reduce((total, { processorMs }) => total + processorMs, 0);
}

async function look(pid: string): Promise<Usage & { readonly parent: string; readonly names: string }> {
  const names = `${await read(pid, 'cmdline')}${await read(pid, 'environ')}`;
  const stat = await read(pid, 'stat');
  // The fields after the program's name, which may itself have spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ended = (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) * TICK_MS;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const times = await Promise.all(
    threads.map(async thread => Number((await read(pid, `task/${thread}/schedstat`)).split(' ')[0] ?? 0)),
  );
  const own = times.reduce((total, nanoseconds) => total + nanoseconds / 1e6, 0);
  return { pid, parent: fields[1] ?? '', names, processorMs: own + ended };
}

/** @returns nothing for a process that has ended meanwhile */
function read(pid: string, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
