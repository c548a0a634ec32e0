import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A campaign that was to end in the last instant of 9999 was stored as ending in the year 10000, which no reply carries. */
export class TimesInRange1700000002001 implements MigrationInterface {
  readonly name = 'TimesInRange1700000002001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
UPDATE campaign
SET starts_at = least(starts_at, '9999-12-31T23:59:58Z'), ends_at = least(ends_at, '9999-12-31T23:59:59.999999Z')
WHERE ends_at >= '10000-01-01T00:00:00Z' OR starts_at >= '9999-12-31T23:59:59Z'`);
    await runner.query(`
ALTER TABLE campaign ADD CONSTRAINT campaign_times_in_range
CHECK (starts_at >= '0001-01-01T00:00:00Z' AND ends_at < '10000-01-01T00:00:00Z')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE campaign DROP CONSTRAINT campaign_times_in_range');
  }
}
