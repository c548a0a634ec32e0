import pg from 'pg';
import { told } from '../frame/inside.js';
import { FAIL_ONCE, type PriceChanged } from './price-changed.js';

const EVERY = Number(told('LAB_FAIL_EVERY'));
const database = new pg.Pool({ connectionString: told('DATABASE_URL') });

/**
 * What the handler needs from elsewhere. It does not answer the first time for every so many changes of a product.
 * @throws Error then
 */
export async function askTheWarehouse({ sku, version }: PriceChanged): Promise<void> {
  if (version % EVERY !== EVERY - 2) return;
  const { rowCount } = await database.query(FAIL_ONCE, [sku, version]);
  if (rowCount === 1) throw new Error(`the warehouse refuses ${sku} for now`);
}
