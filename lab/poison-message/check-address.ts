import pg from 'pg';
import { report, told } from '../frame/inside.js';
import { type OrderPaid, POISONED } from './order-paid.js';

const database = new pg.Pool({ connectionString: told('DATABASE_URL') });

/** @throws Error for the poison message, until its data are repaired */
export async function checkAddress({ buyerId, n }: OrderPaid): Promise<void> {
  if (buyerId !== POISONED || n !== 0) return;
  const { rowCount } = await database.query('SELECT FROM repaired');
  if (rowCount === 1) return;
  await database.query('INSERT INTO attempt DEFAULT VALUES');
  await report({ kind: 'failed' });
  throw new Error(`${buyerId} has no address`);
}
