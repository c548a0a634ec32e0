import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { emptyDatabase, SilentProxy, type TestDatabase } from '#testkit';
import { guardConnections } from './guard-connections.js';
import { isInfrastructureError } from './infrastructure-error.js';

const LIMITS = { idleInTransactionMs: 20_000, lockMs: 10_000, statementMs: 30_000, silentMs: 300 };

describe('a connection to the database that silently dies', () => {
  let own: TestDatabase;
  let proxy: SilentProxy;
  let database: DataSource;

  beforeEach(async () => {
    own = await emptyDatabase();
    const url = new URL(own.url);
    proxy = await SilentProxy.start(Number(url.port));
    url.port = String(proxy.port);
    database = new DataSource({
      type: 'postgres',
      url: url.href,
      poolSize: 3,
      extra: { allowExitOnIdle: true },
    });
    await database.initialize();
    guardConnections(database, LIMITS);
  });

  afterEach(async () => {
    await proxy.stop();
    await database.destroy();
    await own.drop();
  });

  it('is given up in the middle of a transaction, as an outage, and the next one works', async () => {
    const transaction = database.transaction(async tx => {
      await tx.query('SELECT 1');
      proxy.swallow();
      await tx.query('SELECT 2');
    });
    const error: unknown = await transaction.catch((caught: unknown) => caught);
    expect(isInfrastructureError(error)).toBe(true);
    expect(await database.query('SELECT 3 AS n')).toEqual([{ n: 3 }]);
  });

  it('is given up wherever it waits in the pool', async () => {
    await Promise.all([1, 2, 3].map(n => database.query('SELECT $1::int, pg_sleep(0.1)', [n])));
    expect(proxy.swallow()).toBe(3);
    const asked = await Promise.allSettled([1, 2, 3].map(n => database.query('SELECT $1::int', [n])));
    for (const result of asked)
      if (result.status === 'rejected') expect(isInfrastructureError(result.reason)).toBe(true);
    expect(await database.query('SELECT 3 AS n')).toEqual([{ n: 3 }]);
  });

  it('is not given up for being idle', async () => {
    const runner = database.createQueryRunner();
    const { connection } = (await runner.connect()) as { connection: { stream: Socket } };
    await once(connection.stream, 'timeout');
    expect(await runner.query('SELECT 3 AS n')).toEqual([{ n: 3 }]);
    await runner.release();
  });

  it('has limits of its own, where the server has none', async () => {
    const shown = () =>
      database.query(
        "SELECT current_setting('lock_timeout') AS lock, current_setting('idle_in_transaction_session_timeout') AS idle",
      );
    expect(await shown()).toEqual([{ lock: '10s', idle: '20s' }]);
    await database.query(`ALTER DATABASE ${new URL(own.url).pathname.slice(1)} SET lock_timeout = '3s'`);
    await database.destroy();
    await database.initialize();
    guardConnections(database, LIMITS);
    expect(await shown()).toEqual([{ lock: '3s', idle: '20s' }]);
  });
});
