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

/** The publication takes no more: it is complete, or it was given up. */
export class PublicationClosed extends DomainError {
  readonly code = 'publication_closed';
  constructor(readonly publicationId: string) {
    super(`publication ${publicationId} takes no more rows; send the file again`);
  }
}

/** Its gateway would have said something by now, if it were still there: it waits for less time than this. */
const SILENT = "status = 'receiving' AND heard_at < now() - interval '10 minutes'";
const FELL_SILENT = 'nothing arrived for 10 minutes; send it again';

const STAGE = `
WITH open AS (
  UPDATE publication SET heard_at = now() WHERE id = $1 AND status = 'receiving' AND NOT (${SILENT}) RETURNING id
)
INSERT INTO publication_chunk (publication_id, chunk, size, rows) SELECT id, $2, $3, $4 FROM open
ON CONFLICT DO NOTHING RETURNING chunk`;

const IS_STAGED = `
SELECT EXISTS (SELECT FROM publication WHERE id = $1) AS known,
       EXISTS (SELECT FROM publication_chunk WHERE publication_id = $1 AND chunk = $2) AS staged`;

const CLOSE = `
UPDATE publication SET status = $2, problem = $3 WHERE id = $1 AND status = 'receiving' AND NOT (${SILENT})`;

const VIEW = `
SELECT p.id AS "publicationId", p.store, p.opened_at,
       CASE WHEN ${SILENT} THEN '${FELL_SILENT}' ELSE p.problem END AS problem,
       CASE WHEN ${SILENT} THEN 'broken'
            WHEN p.status = 'received' AND c.waiting = 0 THEN 'done'
            WHEN p.status = 'received' THEN 'publishing' ELSE p.status END AS status,
       c.rows, c.done - c.unchanged - r.rejected AS published, c.unchanged, r.rejected, r.rows AS "rejectedRows"
FROM publication p
CROSS JOIN LATERAL (
  SELECT coalesce(sum(size), 0)::int AS rows, coalesce(sum(size) FILTER (WHERE done_at IS NOT NULL), 0)::int AS done,
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

  /**
   * Staging a chunk again changes nothing.
   * @throws PublicationNotFound, PublicationClosed
   */
  async stage({ publicationId, chunk, rows }: RequestOf<typeof StageChunk>): Promise<{ staged: number }> {
    await this.database.transaction(async tx => {
      const staged = (await tx.query(STAGE, [
        publicationId,
        chunk,
        rows.length,
        JSON.stringify(rows),
      ])) as unknown[];
      if (staged.length > 0) {
        await this.outbox.publish(tx, PublicationChunkStaged, { publicationId, chunk });
        return;
      }
      const [found] = (await tx.query(IS_STAGED, [publicationId, chunk])) as [
        { known: boolean; staged: boolean },
      ];
      if (!found.known) throw new PublicationNotFound(publicationId);
      if (!found.staged) throw new PublicationClosed(publicationId);
    });
    return { staged: rows.length };
  }

  async close({
    publicationId,
    broken,
  }: RequestOf<typeof ClosePublication>): Promise<{ publicationId: string }> {
    const status = broken === undefined ? 'received' : 'broken';
    await this.database.query(CLOSE, [publicationId, status, broken ?? null]);
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
