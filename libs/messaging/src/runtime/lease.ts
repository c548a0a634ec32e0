import type { DataSource } from 'typeorm';

const HOLD = `
INSERT INTO messaging.lease AS lease (name, holder, expires_at)
VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE lease.holder = excluded.holder OR lease.expires_at < now()
RETURNING 1`;

const GIVE_UP = 'DELETE FROM messaging.lease WHERE name = $1 AND holder = $2';

/**
 * A right that one instance has at a time, by the database's clock. An instance that restarts under its old
 * name has it again at once; any other waits until it runs out.
 */
export class Lease {
  private heldUntil = 0;

  constructor(
    private readonly database: DataSource,
    private readonly name: string,
    private readonly holder: string,
    readonly ttlMs: number,
  ) {}

  /** Whether we hold it, renewed when a third of its time is gone. Asks the database only then. */
  async hold(): Promise<boolean> {
    const now = performance.now();
    if (this.heldUntil - now > (this.ttlMs * 2) / 3) return true;
    const rows = (await this.database.query(HOLD, [this.name, this.holder, this.ttlMs / 1000])) as unknown[];
    // Counted from before the question, so that we think it ended no later than the database does.
    this.heldUntil = rows.length > 0 ? now + this.ttlMs : 0;
    return rows.length > 0;
  }

  async giveUp(): Promise<void> {
    if (this.heldUntil === 0) return;
    this.heldUntil = 0;
    await this.database.query(GIVE_UP, [this.name, this.holder]);
  }
}
