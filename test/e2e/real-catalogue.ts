import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { eventually } from '#testkit';
import type { ShopClient } from '#shop-kit';
import { ProductFold } from '../../tools/import/fold-products.js';
import { PRODUCT_COLUMNS } from '../../tools/retail/columns.js';
import { openFile } from '../../tools/retail/open-file.js';
import { readProducts } from '../../tools/retail/read-products.js';

const Status = z.object({ status: z.string() });

/** The real orders, if this machine has them. They are never part of the project. */
export const REAL_ORDERS = resolve('../shared/data/online-retail.csv.gz');
export const haveRealOrders = existsSync(REAL_ORDERS);

/** Publishes the real catalog and returns the SKU with the most lines. Without one, returns the demo's. */
export async function bestSeller(shop: ShopClient): Promise<string> {
  if (!haveRealOrders) {
    process.stderr.write(
      `not proved here: the real catalog is not at ${REAL_ORDERS}; a demo product is sold\n`,
    );
    return 'demo.PHONE';
  }
  const fold = new ProductFold();
  const lines = new Map<string, number>();
  for await (const line of readProducts(openFile(REAL_ORDERS), PRODUCT_COLUMNS, 'GBP')) {
    if ('problem' in line) continue;
    fold.add(line);
    lines.set(line.code, (lines.get(line.code) ?? 0) + 1);
  }
  const products = [...fold.products()].map(
    product => `${JSON.stringify({ ...product, currency: 'GBP', stock: 10_000 })}\n`,
  );
  const token = await shop.asOperator();
  const headers = { 'content-type': 'application/x-ndjson' };
  const { body } = await shop.call('POST', '/api/publications?store=uk', {
    body: Readable.from(products),
    token,
    headers,
  });
  const { publicationId } = z.object({ publicationId: z.string() }).parse(body);
  await eventually(
    async () => Status.parse(await shop.get(`/api/publications/${publicationId}`, token)).status,
    status => status === 'published',
  );
  const [code] = [...lines].reduce((best, each) => (each[1] > best[1] ? each : best));
  return `uk.${code}`;
}
