import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Body, ConflictException, Controller, Headers, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createVerifier } from 'fast-jwt';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 });
const verify = createVerifier({ key: process.env['SESSION_SECRET']!, cache: 20_000 }) as (token: string) => {
  sub: string;
};

// The same conditions and the same rows as the sale itself, one transaction per click: what most shops do.
const SELL = `
WITH stock AS (
  UPDATE campaign SET available = available - $2, reserved = reserved + $2
  WHERE id = 1 AND available >= $2 RETURNING id
), tally AS (
  INSERT INTO tally AS t (buyer_id, quantity) SELECT $3, $2 FROM stock
  ON CONFLICT (buyer_id) DO UPDATE SET quantity = t.quantity + excluded.quantity
)
INSERT INTO reservation (id, order_id, buyer_id, quantity) SELECT $1, $4, $3, $2 FROM stock RETURNING id`;

@Controller()
class SaleController {
  @Post('orders')
  async order(
    @Body() { quantity }: { quantity: number },
    @Headers('authorization') authorization: string,
  ): Promise<object> {
    const { sub } = verify(authorization.slice('Bearer '.length));
    const [id, orderId] = [randomUUID(), randomUUID()];
    const { rowCount } = await pool.query({ name: 'sell', text: SELL, values: [id, quantity, sub, orderId] });
    if (rowCount === 0) throw new ConflictException('sold out');
    return { reservationId: id, orderId, status: 'reserved' };
  }
}

@Module({ controllers: [SaleController] })
class SaleModule {}

await pool.query(`
  CREATE TABLE IF NOT EXISTS campaign (
    id int PRIMARY KEY, available int NOT NULL CHECK (available >= 0), reserved int NOT NULL) WITH (fillfactor = 50);
  CREATE TABLE IF NOT EXISTS tally (buyer_id text PRIMARY KEY, quantity int NOT NULL);
  CREATE TABLE IF NOT EXISTS reservation (
    id uuid PRIMARY KEY, order_id uuid NOT NULL UNIQUE, buyer_id text NOT NULL, quantity int NOT NULL);
  INSERT INTO campaign VALUES (1, 100000000, 0) ON CONFLICT DO NOTHING`);
const app = await NestFactory.create<NestFastifyApplication>(SaleModule, new FastifyAdapter(), {
  logger: false,
});
await app.listen(Number(process.env['HTTP_PORT']), '127.0.0.1');
process.send?.({ kind: 'ready' });
process.on('disconnect', () => process.exit());
