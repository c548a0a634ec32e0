import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { report, told } from '../frame/inside.js';

const database = new pg.Pool({ connectionString: told('DATABASE_URL'), max: 20 });

// #region naive
async function buy(buyerId: string): Promise<'bought' | 'sold_out' | 'limit_reached'> {
  const bought = await database.query('SELECT FROM purchase WHERE buyer_id = $1', [buyerId]);
  if (bought.rowCount !== 0) return 'limit_reached';
  const { rows } = await database.query<{ available: number }>('SELECT available FROM campaign');
  const { available } = rows[0]!;
  if (available < 1) return 'sold_out';
  // Between the look and this, others have looked too and have seen the same.
  await database.query('UPDATE campaign SET available = $1', [available - 1]);
  await database.query('INSERT INTO purchase (buyer_id) VALUES ($1)', [buyerId]);
  return 'bought';
}
// #endregion

const server = createServer((call, answer) => {
  void sell(call).then(
    outcome => answer.writeHead(outcome === 'bought' ? 201 : 409).end(),
    (error: unknown) => answer.writeHead(500).end(String(error)),
  );
});

async function sell(call: IncomingMessage): Promise<string> {
  const { buyerId } = JSON.parse(await text(call)) as { buyerId: string };
  return buy(buyerId);
}

server.listen(0, '127.0.0.1', () => {
  void report({ kind: 'ready', count: (server.address() as AddressInfo).port });
});
