import type { DataSource, EntityManager } from 'typeorm';
import type { BucketNews } from './admission.js';
import {
  type Bucket,
  type BucketSpec,
  type BucketState,
  changeBucket,
  grantTokens,
  heldTokens,
  issueTokens,
  newBucket,
  type TokenAsk,
  type TokenGrant,
} from './token-bucket.js';

/** A bucket as operators see it. */
export interface BucketView extends BucketSpec {
  readonly name: string;
  readonly version: number;
  /** Unspent tokens that nobody holds. */
  readonly level: number;
  /** Unspent tokens that gateways hold, as far as they have reported. */
  readonly held: number;
  /** Calls with a token and calls without one, as far as they were reported. */
  readonly admitted: number;
  readonly refused: number;
  /** Gateways that asked in the last seconds. */
  readonly gateways: number;
}

export interface BucketOptions {
  /** When nobody needs it any more. */
  readonly endsAt?: string | undefined;
  /** Whether a bucket that is there already stays as it is. */
  readonly keep?: boolean;
}

interface Row {
  readonly name: string;
  readonly version: string;
  readonly rate_per_second: number;
  readonly capacity: number;
  readonly adaptive: BucketSpec['adaptive'];
  readonly state: BucketState;
  /** The database's clock, in ms since 1970. */
  readonly now: number;
}

/** An instance that is frozen between reading a bucket and writing it may not hold up the others for longer, in ms. */
const GRANT_MS = 1_000;
const LIMIT = `SELECT set_config('idle_in_transaction_session_timeout', '${GRANT_MS}', true)`;

const NOW = 'extract(epoch FROM clock_timestamp())::float8 * 1000 AS now';
const COLUMNS = 'name, version, rate_per_second, capacity, adaptive, state';
const CURRENT = '(ends_at IS NULL OR ends_at > clock_timestamp())';

/** Locks in the order of the names, so that two requests cannot deadlock, and reads the clock after that. */
const LOCK = `
WITH locked AS MATERIALIZED (
  SELECT ${COLUMNS} FROM messaging.token_bucket WHERE name = ANY($1) AND ${CURRENT} ORDER BY name FOR UPDATE
)
SELECT ${COLUMNS}, ${NOW} FROM locked`;

const SAVE = `
UPDATE messaging.token_bucket b SET rate_per_second = s.rate, state = s.state
FROM json_to_recordset($1::json) AS s(name text, rate double precision, state jsonb) WHERE b.name = s.name`;

const CREATE = `
INSERT INTO messaging.token_bucket (name, version, rate_per_second, capacity, state)
VALUES ($1, 0, $2, $3, 'null') ON CONFLICT (name) DO NOTHING`;

const CHANGE = `
UPDATE messaging.token_bucket
SET version = nextval('messaging.token_bucket_version'), rate_per_second = $2, capacity = $3, adaptive = $4, state = $5,
    ends_at = coalesce($6, ends_at)
WHERE name = $1 RETURNING version`;

const REMOVE = `
WITH removed AS (DELETE FROM messaging.token_bucket WHERE name = $1 RETURNING name)
SELECT nextval('messaging.token_bucket_version') AS version FROM removed`;

const FORGET = 'DELETE FROM messaging.token_bucket WHERE ends_at < clock_timestamp()';

const LIST = `SELECT ${COLUMNS}, ${NOW} FROM messaging.token_bucket WHERE ${CURRENT} ORDER BY name`;

/**
 * Token buckets as rows of a service's database. Any instance grants blocks of them: the row's lock makes it the
 * generator of that moment, and the row says where the last one stopped. Time is the database's.
 */
export class TokenBuckets {
  /** @param changed tells others of a change, in its transaction */
  constructor(
    private readonly database: DataSource,
    private readonly changed: (tx: EntityManager, news: BucketNews) => Promise<void>,
  ) {}

  /** One answer for each ask, in their order; `null` where there is no such bucket. */
  async grant(asks: readonly TokenAsk[]): Promise<(TokenGrant | null)[]> {
    const names = [...new Set(asks.map(ask => ask.bucket))];
    return this.database.transaction(async tx => {
      await tx.query(LIMIT);
      const rows = (await tx.query(LOCK, [names])) as Row[];
      const buckets = new Map(rows.map(row => [row.name, { bucket: bucketOf(row), now: row.now }]));
      const grants = asks.map(ask => {
        const found = buckets.get(ask.bucket);
        if (found === undefined) return null;
        const { bucket, grant } = grantTokens(found.bucket, ask, found.now);
        found.bucket = bucket;
        return grant;
      });
      const saved = [...buckets].map(([name, { bucket }]) => ({
        name,
        rate: bucket.ratePerSecond,
        state: bucket.state,
      }));
      if (saved.length > 0) await tx.query(SAVE, [JSON.stringify(saved)]);
      return grants;
    });
  }

  /** Creates the bucket, full, or changes it from now on: what was issued stays, up to the new capacity. */
  async set(
    name: string,
    spec: BucketSpec,
    { endsAt, keep = false }: BucketOptions = {},
  ): Promise<BucketView> {
    await this.database.query(FORGET);
    return this.database.transaction(async tx => {
      await tx.query(CREATE, [name, spec.ratePerSecond, spec.capacity]);
      const [row] = (await tx.query(LOCK, [[name]])) as [Row];
      const isNew = (row.state as BucketState | null) === null;
      if (!isNew && keep) return viewOf(row);
      const bucket = isNew ? newBucket(spec, row.now) : changeBucket(bucketOf(row), spec, row.now);
      const { ratePerSecond, capacity, adaptive, state } = bucket;
      const values = [
        name,
        ratePerSecond,
        capacity,
        JSON.stringify(adaptive),
        JSON.stringify(state),
        endsAt ?? null,
      ];
      const [[{ version }]] = (await tx.query(CHANGE, values)) as [[{ version: string }]];
      await this.changed(tx, { name, version: Number(version), removed: false });
      return viewOf({ ...row, version, rate_per_second: ratePerSecond, capacity, adaptive, state });
    });
  }

  /** Removes the limit. @returns the version of this change; `undefined` if there was no limit */
  async remove(name: string): Promise<number | undefined> {
    return this.database.transaction(async tx => {
      const [removed] = (await tx.query(REMOVE, [name])) as [{ version: string }?];
      if (removed === undefined) return undefined;
      const version = Number(removed.version);
      await this.changed(tx, { name, version, removed: true });
      return version;
    });
  }

  /** Every bucket, as it is now, by name. */
  async list(): Promise<BucketView[]> {
    return ((await this.database.query(LIST)) as Row[]).map(viewOf);
  }
}

function bucketOf({ rate_per_second, capacity, adaptive, state }: Row): Bucket {
  return { ratePerSecond: rate_per_second, capacity, adaptive, state };
}

function viewOf(row: Row): BucketView {
  const { ratePerSecond, capacity, adaptive, state } = issueTokens(bucketOf(row), row.now);
  return {
    name: row.name,
    version: Number(row.version),
    ratePerSecond,
    capacity,
    adaptive,
    level: Math.floor(state.level),
    held: heldTokens(state),
    admitted: state.admitted,
    refused: state.refused,
    gateways: Object.keys(state.holders).length,
  };
}
