import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import { Currency, MAX_STOCK } from '#contracts';
import type { Columns } from '#row-files';
import { ShopClient, table } from '#shop-kit';
import { readArguments } from '../command-line/arguments.js';
import { ProductFold } from './fold-products.js';
import { PRODUCT_COLUMNS } from '../retail/columns.js';
import { openFile } from '../retail/open-file.js';
import { readProducts } from '../retail/read-products.js';
import { asPublication, isCatalog, mapped, type Mappings } from './catalog-file.js';
import { publish, type Publication } from './publish.js';

const USAGE =
  'npm run import -- FILE --store SLUG [--stock N] [--currency GBP] [--map COLUMN=TITLE]... [--rejected FILE]';

const Mapping = z
  .string()
  .regex(/^[A-Za-z]+=.+$/, 'is COLUMN=TITLE, such as title=Description')
  .transform(text => text.split(/=(.*)/s, 2) as [string, string]);

const Arguments = z.object({
  file: z.string('name the file'),
  store: z.string('name the store').regex(/^[a-z0-9-]{1,32}$/, 'a store is 1 to 32 of a–z 0–9 -'),
  stock: z
    .string()
    .regex(/^\d{1,10}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().max(MAX_STOCK, `is at most ${MAX_STOCK}`))
    .default(10_000),
  currency: Currency.default('GBP'),
  map: z.array(Mapping).default([]),
  rejected: z.string().optional(),
});

/** A publication that was not needed. */
const NOTHING: Publication = {
  status: 'published',
  received: 0,
  published: 0,
  unchanged: 0,
  rejected: 0,
  remaining: 0,
  rejectedRows: [],
};

/** Reads a file into products and publishes them in the running shop. */
async function main(): Promise<void> {
  const { file, store, stock, currency, map, rejected } = readArguments(USAGE, 'file', Arguments);
  const shop = await ShopClient.find();
  if (await isCatalog(file, map)) await sendCatalog(shop, store, file, map);
  else await foldSales(shop, { file, store, stock, currency, map, rejected });
  await shop.close();
}

/** The file has the columns of a publication: the route reads it, and judges every line itself. */
async function sendCatalog(shop: ShopClient, store: string, file: string, map: Mappings): Promise<void> {
  const publication = await publish(shop, store, 'text/csv', asPublication(openFile(file), map));
  const taken = publication.published + publication.unchanged;
  say(
    table([
      ['lines read', publication.received],
      ['lines taken', taken],
      ['  published', publication.published],
      ['  unchanged', publication.unchanged],
      ['lines rejected', publication.rejected],
    ]),
  );
  for (const { line, reason } of publication.rejectedRows) say(`  line ${line}: ${reason}`);
  tellEnd(publication);
  if (taken === 0) process.exitCode = 1;
}

/** The file is one of sales: each stock code becomes a product. */
async function foldSales(
  shop: ShopClient,
  { file, store, stock, currency, map, rejected }: z.output<typeof Arguments>,
): Promise<void> {
  const rejectedFile = resolve(
    rejected ?? `${process.env['SLUICE_DATA_DIR'] ?? '.sluice'}/import-${store}-rejected.csv`,
  );
  const { fold, lines, reasons } = await read(file, rejectedFile, mapped(PRODUCT_COLUMNS, map), currency);
  const left = [...reasons.values()].reduce((total, count) => total + count, 0);
  const publication =
    lines === left
      ? NOTHING
      : await publish(shop, store, 'application/x-ndjson', ndjson(fold, stock, currency));
  say(
    table([
      ['lines read', lines],
      ['lines taken', lines - left],
      ['lines rejected', left],
      ...[...reasons].sort(([, a], [, b]) => b - a).map(([reason, count]) => [`  ${reason}`, count]),
      ['products in the file', publication.received],
      ['  published', publication.published],
      ['  unchanged', publication.unchanged],
      ['  rejected by the catalog', publication.rejected],
    ]),
  );
  for (const { line, reason } of publication.rejectedRows) say(`  product ${line}: ${reason}`);
  if (reasons.size > 0) say(`every rejected line, with its number and reason: ${rejectedFile}`);
  tellEnd(publication);
  if (publication.published + publication.unchanged === 0) process.exitCode = 1;
}

/** What the counts alone do not tell: that not every row was worked off, or shown. */
function tellEnd({ publicationId, status, remaining, rejected, rejectedRows }: Publication): void {
  if (rejected > rejectedRows.length)
    say(
      `  and ${rejected - rejectedRows.length} more: GET /api/publications/${publicationId}/rejected has them all`,
    );
  if (status === 'published') return;
  process.exitCode = 1;
  if (status === 'paused')
    say(
      `the publication was paused; ${remaining} rows wait. The shop has the whole file: ` +
        `POST /api/publications/${publicationId}/resume goes on`,
    );
  else say(`the publication was ${status}; ${remaining} rows were not published. What is published stays`);
}

async function read(
  file: string,
  rejectedFile: string,
  columns: Columns<'code' | 'title' | 'price'>,
  currency: z.output<typeof Currency>,
) {
  const { size } = await stat(file);
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
  try {
    const bytes = openFile(file, read => bar.increment(read));
    for await (const line of readProducts(bytes, columns, currency)) {
      lines += 1;
      if (!('problem' in line)) {
        fold.add(line);
        continue;
      }
      const { problem } = line;
      const kind = problem.startsWith('not goods') ? problem : problem.replace(/".*"/s, '"…"');
      reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
      if (!rejections.write(`${line.line},"${problem.replaceAll('"', '""')}"\n`))
        await new Promise<void>(resume => rejections.once('drain', () => resume()));
    }
  } finally {
    bar.stop();
    await new Promise<void>(done => rejections.end(() => done()));
  }
  return { fold, lines, reasons };
}

function* ndjson(fold: ProductFold, stock: number, currency: string): Generator<string> {
  for (const product of fold.products()) yield `${JSON.stringify({ ...product, currency, stock })}\n`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`import: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
