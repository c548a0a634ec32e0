import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import { readArguments } from '../client/arguments.js';
import { Shop } from '../client/shop.js';
import { table } from '../client/table.js';
import { ProductFold } from './fold-products.js';
import { rejection } from '../retail/goods.js';
import { readRetail } from '../retail/read-retail.js';

const USAGE = 'npm run import -- FILE --store SLUG [--stock N] [--rejected FILE]';

const Arguments = z.object({
  file: z.string('name the file'),
  store: z.string('name the store').regex(/^[a-z0-9-]{1,32}$/, 'a store is 1 to 32 of a–z 0–9 -'),
  stock: z.coerce.number('must be a number').int('must be a whole number').min(0).max(1e9).default(10_000),
  rejected: z.string().optional(),
});

const Publication = z.object({
  status: z.enum(['receiving', 'publishing', 'done', 'broken']),
  rows: z.number(),
  published: z.number(),
  unchanged: z.number(),
  rejected: z.number(),
  rejectedRows: z.array(z.object({ line: z.number(), reason: z.string() })),
});

/** Reads a retail file into products and publishes them in the running shop. */
async function main(): Promise<void> {
  const { file, store, stock, rejected } = readArguments(USAGE, 'file', Arguments);
  const shop = await Shop.find();
  const rejectedFile = resolve(
    rejected ?? `${process.env['SLUICE_DATA_DIR'] ?? '.sluice'}/import-${store}-rejected.csv`,
  );
  const { fold, lines, reasons } = await read(file, rejectedFile);
  const publication = await publish(shop, store, fold, stock);

  const products = publication.rows;
  say(
    table([
      ['lines read', lines],
      ['lines rejected', [...reasons.values()].reduce((total, count) => total + count, 0)],
      ...[...reasons].sort(([, a], [, b]) => b - a).map(([reason, count]) => [`  ${reason}`, count]),
      ['products in the file', products],
      ['  published', publication.published],
      ['  unchanged', publication.unchanged],
      ['  rejected by the catalog', publication.rejected],
    ]),
  );
  for (const { line, reason } of publication.rejectedRows) say(`  product ${line}: ${reason}`);
  if (reasons.size > 0) say(`every rejected line, with its number and reason: ${rejectedFile}`);
  await shop.close();
}

async function read(file: string, rejectedFile: string) {
  const { size, isFile } = await stat(file).then(
    found => ({ size: found.size, isFile: found.isFile() }),
    (error: NodeJS.ErrnoException) => Promise.reject(new Error(`${file} cannot be read (${error.code})`)),
  );
  if (!isFile) throw new Error(`${file} is not a file; name the CSV, plain or gzipped`);
  const bar = new SingleBar({
    format: 'reading {bar} {percentage}%',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  bar.start(size, 0);
  await mkdir(dirname(rejectedFile), { recursive: true });
  const rejections = createWriteStream(rejectedFile);
  rejections.write('line,reason\n');
  const fold = new ProductFold();
  const reasons = new Map<string, number>();
  let lines = 0;
  for await (const line of readRetail(file, bytes => bar.increment(bytes))) {
    lines += 1;
    const reason = 'problem' in line ? line.problem : rejection(line);
    if (reason === undefined) {
      fold.add(line as Exclude<typeof line, { problem: string }>);
      continue;
    }
    const kind = 'problem' in line ? 'the line cannot be read' : reason;
    reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
    if (!rejections.write(`${line.line},"${reason.replaceAll('"', '""')}"\n`)) {
      await new Promise<void>(resume => rejections.once('drain', () => resume()));
    }
  }
  await new Promise<void>(done => rejections.end(() => done()));
  bar.stop();
  if (lines === 0) throw new Error(`${file} has no lines; it should have a header and a line for each sale`);
  return { fold, lines, reasons };
}

async function publish(shop: Shop, store: string, fold: ProductFold, stock: number) {
  const token = await shop.asOperator();
  const answer = await shop.call('POST', `/api/publications?store=${store}`, {
    body: Readable.from(ndjson(fold, stock)),
    token,
    headers: { 'content-type': 'application/x-ndjson' },
  });
  if (answer.status !== 202)
    throw new Error(`the shop did not accept the publication: ${JSON.stringify(answer.body)}`);
  const { publicationId } = z.object({ publicationId: z.string() }).parse(answer.body);
  const bar = new SingleBar({
    format: 'publishing {bar} {value}/{total}',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  bar.start(1, 0);
  for (;;) {
    const publication = Publication.parse(await shop.get(`/api/publications/${publicationId}`, token));
    bar.setTotal(publication.rows);
    bar.update(publication.published + publication.unchanged + publication.rejected);
    if (publication.status === 'broken') throw new Error('the publication was interrupted; import again');
    if (publication.status === 'done') {
      bar.stop();
      return publication;
    }
    await setTimeout(100);
  }
}

function* ndjson(fold: ProductFold, stock: number): Generator<string> {
  for (const product of fold.products()) yield `${JSON.stringify({ ...product, currency: 'GBP', stock })}\n`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`import: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
