import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ClosePublication, OpenPublication, PublicationView, StageChunk } from '#contracts';
import { PublicationChunkStaged } from '#contracts';
import { DomainError, Outbox, type RequestOf } from '#messaging';

/** How many rejected rows a view shows. */
const SHOWN = 100;

export class PublicationNotFound extends DomainError {
  readonly code = 'publication_not_found';
  constructor(readonly publicationId: string) {
    super(`there is no publication ${publicationId}`);
  }
}

const VIEW = `
SELECT p.id AS "publicationId", p.store, p.problem, p.opened_at,
       CASE WHEN p.status = 'received' AND c.waiting = 0 THEN 'done'
            WHEN p.status = 'received' THEN 'publishing' ELSE p.status END AS status,
       c.rows, c.published, c.unchanged, r.rejected, r.rows AS "rejectedRows"
FROM publication p
CROSS JOIN LATERAL (
  SELECT coalesce(sum(size), 0)::int AS rows, coalesce(sum(published), 0)::int AS published,
         coalesce(sum(unchanged), 0)::int AS unchanged, count(*) FILTER (WHERE done_at IS NULL)::int AS waiting
  FROM publication_chunk WHERE publication_id = p.id) AS c
CROSS JOIN LATERAL (
  SELECT count(*)::int AS rejected,
         coalesce(json_agg(json_build_object('line', line, 'reason', reason) ORDER BY line)
                  FILTER (WHERE place <= $2), '[]') AS rows
  FROM (SELECT line, reason, row_number() OVER (ORDER BY line) AS place
        FROM publication_rejection WHERE publication_id = p.id) AS shown) AS r
WHERE p.id = $1`;

/** Accepts publications. A staged chunk is safe; the service's own queue processes it. */
@Injectable()
export class Publications {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  async open({
    publicationId,
    store,
  }: RequestOf<typeof OpenPublication>): Promise<{ publicationId: string }> {
    const insert = 'INSERT INTO publication (id, store) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING';
    await this.database.query(insert, [publicationId, store]);
    return { publicationId };
  }

  /** Staging a chunk again changes nothing. */
  async stage({ publicationId, chunk, rows }: RequestOf<typeof StageChunk>): Promise<{ staged: number }> {
    await this.database.transaction(async tx => {
      const staged = (await tx.query(
        `INSERT INTO publication_chunk (publication_id, chunk, size, rows) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING RETURNING chunk`,
        [publicationId, chunk, rows.length, JSON.stringify(rows, storable)],
      )) as unknown[];
      if (staged.length > 0) await this.outbox.publish(tx, PublicationChunkStaged, { publicationId, chunk });
    });
    return { staged: rows.length };
  }

  async close({
    publicationId,
    broken,
  }: RequestOf<typeof ClosePublication>): Promise<{ publicationId: string }> {
    await this.database.query(
      "UPDATE publication SET status = $2, problem = $3 WHERE id = $1 AND status = 'receiving'",
      [publicationId, broken === undefined ? 'received' : 'broken', broken ?? null],
    );
    return { publicationId };
  }

  /** @throws PublicationNotFound */
  async get(publicationId: string): Promise<PublicationView> {
    const rows = (await this.database.query(VIEW, [publicationId, SHOWN])) as (PublicationView & {
      opened_at: Date;
    })[];
    const [row] = rows;
    if (row === undefined) throw new PublicationNotFound(publicationId);
    const { opened_at, ...view } = row;
    return { ...view, openedAt: opened_at.toISOString() };
  }
}

/** PostgreSQL text cannot hold NUL or half of a surrogate pair; U+FFFD replaces each of them. */
function storable(_: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value;
}
