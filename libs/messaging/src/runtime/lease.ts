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
 * A lease that one instance holds at a time, by the database's clock. An instance that restarts under the
 * same name regains it at once; any other waits until it expires.
 */
export class Lease {
  private heldUntil = 0;
  private renewedAt = 0;
  private count = 0;

  constructor(
    private readonly database: DataSource,
    readonly name: string,
    readonly holder: string,
    readonly ttlMs: number,
  ) {}

  get isHeld(): boolean {
    return performance.now() < this.heldUntil;
  }

  /** How many times it has come to us: who holds it again was perhaps not the only one meanwhile. */
  get acquisitions(): number {
    return this.count;
  }

  /**
   * Whether we hold the lease. Renews it when half of its time is gone, and asks the database only then.
   */
  async hold(): Promise<boolean> {
    const now = performance.now();
    if (this.heldUntil - now > this.ttlMs / 2) return true;
    const rows = (await this.database.query(HOLD, [this.name, this.holder, this.ttlMs / 1000])) as unknown[];
    this.renewed(rows.length > 0, now);
    return rows.length > 0;
  }

  /**
   * @param held whether the lease is ours
   * @param askedAt when the database was asked: our view of the lease must end no later than the database's
   */
  renewed(held: boolean, askedAt: number): void {
    // An older answer says nothing of a lease that was got since.
    if (!held && askedAt < this.renewedAt) return;
    if (held && !this.isHeld) this.count += 1;
    if (held) this.renewedAt = Math.max(this.renewedAt, askedAt);
    this.heldUntil = held ? this.renewedAt + this.ttlMs : 0;
  }

  async giveUp(): Promise<void> {
    this.heldUntil = 0;
    await this.database.query(GIVE_UP, [this.name, this.holder]);
  }
}
