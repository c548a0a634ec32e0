import { z } from 'zod';
import { auditReport, ShopClient } from '#shop-kit';
import { readArguments } from '../tools/command-line/arguments.js';
import { runFlashSale } from './flash-sale/flash-sale.js';

const USAGE = 'npm run lab -- flash-sale [--sku uk.85123A] [--stock 500] [--shoppers 5000]';

const Arguments = z.object({
  experiment: z.literal('flash-sale', 'name an experiment: flash-sale'),
  sku: z.string().optional(),
  stock: z.coerce.number('must be a number').int().min(1, 'must be above zero').max(100_000).default(500),
  shoppers: z.coerce.number('must be a number').int().min(1, 'must be above zero').max(50_000).default(5_000),
});

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs an experiment against the running shop, to watch. */
async function main(): Promise<void> {
  const { sku, stock, shoppers } = readArguments(USAGE, 'experiment', Arguments);
  const shop = await ShopClient.find(process.env, { connections: 1_000 });
  const report = await runFlashSale(shop, { sku: sku ?? (await bestKnown(shop)), stock, shoppers, say });
  say(auditReport(report.audit));
  await shop.close();
  const expected = Math.min(stock, shoppers);
  if (!report.audit.clean || report.won.length !== expected || report.paid !== expected) process.exitCode = 1;
}

/** The best-selling SKU of the real catalog if that is imported, else the demo's. */
async function bestKnown(shop: ShopClient): Promise<string> {
  const { status } = await shop.call('GET', '/api/products/uk.85123A');
  return status === 200 ? 'uk.85123A' : 'demo.PHONE';
}

main().catch((error: unknown) => {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
