import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { emptyDatabase, type TestDatabase } from '#testkit';
import { afterCommit } from './after-commit.js';

describe('what waits for a commit', () => {
  let own: TestDatabase;
  let database: DataSource;

  beforeEach(async () => {
    own = await emptyDatabase();
    database = new DataSource({ type: 'postgres', url: own.url });
    await database.initialize();
  });

  afterEach(async () => {
    await database.destroy();
    await own.drop();
  });

  it('is called once after it, not by a savepoint, and not by a rollback', async () => {
    const calls: string[] = [];
    const committed = () => calls.push('committed');
    await database.transaction(async tx => {
      afterCommit(tx, committed);
      await tx.transaction(async inner => afterCommit(inner, committed));
      expect(calls).toEqual([]);
    });
    expect(calls).toEqual(['committed']);
    const rolledBack = database.transaction(async tx => {
      afterCommit(tx, () => calls.push('rolled back'));
      await tx.query('SELECT 1');
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await database.transaction(async tx => void (await tx.query('SELECT 1')));
    expect(calls).toEqual(['committed']);
  });
});
