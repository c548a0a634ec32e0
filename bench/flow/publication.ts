import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { type RunningShop, type ShopClient, startShop, table } from '#shop-kit';
import { processorTimeOf, usageOf } from '../start/processor-time.js';

/**
 * Opens a store of 300,000 SKUs while buyers look at products and order. Reports how long it takes to accept the file
 * and to work it off, what memory each process takes for it, and the latency of the buyers' requests before and during.
 */
const SKUS = 300_000;
/** How long buyers are measured before, in ms. */
const REST_MS = 20_000;
/** Requests of buyers a second; every fifth is an order. */
const REQUESTS_PER_SECOND = 50;
const SAMPLE_MS = 250;
/** What is written to the socket at a time, in characters. */
const BLOCK = 65_536;

const View = z.object({ status: z.string(), published: z.number(), rejected: z.number() });

async function measure({ client: shop, dataDir }: RunningShop): Promise<void> {
  const token = await shop.asOperator();
  const buyers = new Buyers(shop, await shop.signIn('ann'));
  await buyers.during(setTimeout(REST_MS / 2)); // compiled code, full pools
  const before = await buyers.during(setTimeout(REST_MS));
  const memory = new Memory(dataDir);
  await memory.look();
  let acceptedMs = 0;
  let view = { status: '', published: 0, rejected: 0 };
  const [startedAt, processorBefore] = [performance.now(), await processorTimeOf(dataDir)];
  const publishing = (async () => {
    const { status, body } = await shop.call('POST', '/api/publications?store=bench', {
      body: Readable.from(csv()),
      token,
      headers: { 'content-type': 'text/csv' },
    });
    acceptedMs = performance.now() - startedAt;
    if (status !== 202) throw new Error(`the publication was refused: ${JSON.stringify(body)}`);
    const { publicationId } = body as { publicationId: string };
    while (view.status !== 'published') {
      await setTimeout(SAMPLE_MS);
      view = View.parse(await shop.get(`/api/publications/${publicationId}`, token));
    }
  })();
  const sampling = setInterval(() => void memory.sample(), SAMPLE_MS);
  const during = await buyers.during(publishing);
  clearInterval(sampling);
  const seconds = (performance.now() - startedAt) / 1_000;
  const processorMs = (await processorTimeOf(dataDir)) - processorBefore;
  process.stdout.write(
    `${table([
      ['accepted after, s', Number((acceptedMs / 1_000).toFixed(1))],
      ['worked off after, s', Number(seconds.toFixed(1))],
      ['SKUs/s', Math.round(SKUS / seconds)],
      ['processor time of the shop, µs a SKU', Math.round((processorMs * 1_000) / SKUS)],
      ['published', view.published],
      ['rejected', view.rejected],
    ])}\n\n${table([
      ['buyers’ requests', 'p50 ms', 'p99 ms', 'requests', 'failed'],
      ['before', ...before],
      ['during', ...during],
    ])}\n\n${memory.report()}\n\n`,
  );
}

/** One line in a thousand cannot be taken. */
function* csv(): Generator<string> {
  let block = 'code,title,priceMinor,currency,stock,pictures,description,promoPriceMinor\n';
  for (let n = 0; n < SKUS; n += 1) {
    const price = n % 1_000 === 999 ? 'free' : 500 + (n % 9_000);
    const promotion = n % 10 === 0 ? 400 : '';
    block +=
      `SKU${n},"Enamel Teapot, Cream, No. ${n}",${price},GBP,${n % 500},https://pictures.example/${n}.jpg,` +
      `"A teapot of enamelled steel with a lid, for four cups, number ${n} of this series.",${promotion}\n`;
    if (block.length < BLOCK) continue;
    yield block;
    block = '';
  }
  yield block;
}

/** Buyers that come at a steady rate, however long their requests take. */
class Buyers {
  private count = 0;
  constructor(
    private readonly shop: ShopClient,
    private readonly token: string,
  ) {}

  /** @returns p50 and p99 in ms, the requests, and how many failed */
  async during(work: Promise<unknown>): Promise<[number, number, number, number]> {
    let over = false;
    void work.finally(() => (over = true)).catch(() => undefined);
    const latencies: number[] = [];
    const asked: Promise<void>[] = [];
    let failed = 0;
    const startedAt = performance.now();
    for (let n = 0; !over; n += 1) {
      const dueAt = startedAt + (n * 1_000) / REQUESTS_PER_SECOND;
      await setTimeout(Math.max(0, dueAt - performance.now()));
      asked.push(
        this.ask()
          .catch(() => void (failed += 1))
          .then(() => void latencies.push(performance.now() - dueAt)),
      );
    }
    await work;
    await Promise.all(asked);
    latencies.sort((a, b) => a - b);
    const at = (share: number) => Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1));
    return [at(0.5), at(0.99), latencies.length, failed];
  }

  private async ask(): Promise<void> {
    this.count += 1;
    if (this.count % 5 !== 0) return void (await this.shop.get('/api/products/demo.TEAPOT', this.token));
    const sku = ['demo.LANTERN', 'demo.MUGS', 'demo.CLOCK', 'demo.BASKET'][(this.count / 5) % 4];
    await this.shop.post('/api/orders', { items: [{ sku, quantity: 1 }] }, this.token);
  }
}

/** The memory of each process without what PostgreSQL's processes share, in MiB: at rest, and at its peak. */
class Memory {
  private readonly known = new Map<string, { name: string; rest: number; peak: number }>();

  constructor(private readonly dataDir: string) {}

  /** Looks for the shop's processes: too dear to be done with every sample. */
  async look(): Promise<void> {
    for (const { pid } of await usageOf(this.dataDir))
      if (!this.known.has(pid))
        this.known.set(pid, { name: await nameOf(pid), rest: await residentMib(pid), peak: 0 });
  }

  async sample(): Promise<void> {
    for (const [pid, known] of this.known)
      this.known.set(pid, { ...known, peak: Math.max(known.peak, await residentMib(pid)) });
  }

  report(): string {
    const grown = [...this.known.values()].sort((a, b) => b.peak - b.rest - (a.peak - a.rest)).slice(0, 6);
    const rows = grown.map(
      ({ name, rest, peak }) => [name, ...[rest, peak, peak - rest].map(mib => Math.round(mib))] as const,
    );
    return table([['the most grown processes', 'at rest MiB', 'peak MiB', 'grown MiB'], ...rows]);
  }
}

async function residentMib(pid: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return (field('VmRSS') - field('RssShmem')) / 1_024;
}

async function nameOf(pid: string): Promise<string> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return /apps\/([a-z-]+)\/src/.exec(command)?.[1] ?? command.replaceAll('\0', ' ').trim().slice(0, 40);
}

const running = await startShop();
try {
  await measure(running);
  process.stdout.write(
    `${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}\n`,
  );
} finally {
  await running.stop();
}
