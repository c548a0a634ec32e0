import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ListRejectedRows, PublicationView as View, RejectedRow } from '#contracts';
import { DomainError, type RequestOf } from '#messaging';
import { FELL_SILENT, SILENT } from './silent.js';

/** How many rejected rows a view shows. */
const SHOWN = 100;
/** How far back an estimate looks, in seconds. */
const RECENT_S = 10;

export class PublicationNotFound extends DomainError {
  readonly code = 'publication_not_found';
  constructor(readonly publicationId: string) {
    super(`there is no publication ${publicationId}`);
  }
}

const VIEW = `
SELECT p.id AS "publicationId", p.store, p.opened_at,
       CASE WHEN ${SILENT} THEN '${FELL_SILENT}' ELSE p.problem END AS problem,
       CASE WHEN p.cancelled_at IS NOT NULL THEN 'cancelled'
            WHEN p.paused_at IS NOT NULL AND (p.status = 'receiving' OR c.remaining > 0) THEN 'paused'
            WHEN p.status = 'broken' OR ${SILENT} THEN 'broken'
            WHEN p.status = 'received' AND c.waiting = 0 THEN 'published'
            WHEN p.status = 'received' THEN 'publishing' ELSE p.status END AS status,
       c.received, c.published, c.unchanged, c.rejected, c.remaining, c.register, c.pictures, c.detail_page, c.promotion,
       CASE WHEN c.recent > 0 AND c.remaining > 0 THEN ceil(c.remaining * ${RECENT_S}.0 / c.recent)::int END AS "secondsLeft",
       coalesce(r.rows, '[]') AS "rejectedRows"
FROM publication p
CROSS JOIN LATERAL (
  SELECT coalesce(sum(size), 0)::int AS received, coalesce(sum(unchanged), 0)::int AS unchanged,
         coalesce(sum(rejected), 0)::int AS rejected,
         coalesce(sum(size - unchanged - rejected) FILTER (WHERE done_at IS NOT NULL), 0)::int AS published,
         coalesce(sum(size - rejected) FILTER (WHERE done_at IS NULL), 0)::int AS remaining,
         count(*) FILTER (WHERE done_at IS NULL) AS waiting,
         coalesce(sum(size) FILTER (WHERE steps > 0), 0)::int AS register,
         coalesce(sum(size) FILTER (WHERE steps > 1), 0)::int AS pictures,
         coalesce(sum(size) FILTER (WHERE steps > 2), 0)::int AS detail_page,
         coalesce(sum(size) FILTER (WHERE steps > 3), 0)::int AS promotion,
         coalesce(sum(size) FILTER (WHERE done_at > now() - interval '${RECENT_S} seconds'), 0)::int AS recent
  FROM publication_chunk WHERE publication_id = p.id) AS c
CROSS JOIN LATERAL (
  SELECT json_agg(json_build_object('line', line, 'reason', reason) ORDER BY line) AS rows
  FROM (SELECT line, reason FROM publication_rejection WHERE publication_id = p.id ORDER BY line LIMIT $2) AS first) AS r
WHERE p.id = $1`;

const REJECTED = `
SELECT line, code, reason FROM publication_rejection WHERE publication_id = $1 AND line > $2 ORDER BY line LIMIT $3`;

const IS_KNOWN = 'SELECT FROM publication WHERE id = $1';

type Row = Omit<View, 'steps' | 'openedAt'> & {
  readonly opened_at: Date;
  readonly register: number;
  readonly pictures: number;
  readonly detail_page: number;
  readonly promotion: number;
};

/** What publications look like from outside. */
@Injectable()
export class PublicationViews {
  constructor(private readonly database: DataSource) {}

  /** @throws PublicationNotFound */
  async get(publicationId: string, tx: EntityManager = this.database.manager): Promise<View> {
    const [row] = (await tx.query(VIEW, [publicationId, SHOWN])) as [Row?];
    if (row === undefined) throw new PublicationNotFound(publicationId);
    const { opened_at, register, pictures, detail_page, promotion, ...view } = row;
    return {
      ...view,
      steps: { register, pictures, detailPage: detail_page, promotion },
      openedAt: opened_at.toISOString(),
    };
  }

  /** @throws PublicationNotFound */
  async rejected({
    publicationId,
    afterLine,
    limit,
  }: RequestOf<typeof ListRejectedRows>): Promise<{ rows: RejectedRow[] }> {
    const rows = (await this.database.query(REJECTED, [publicationId, afterLine, limit])) as RejectedRow[];
    if (rows.length > 0) return { rows };
    const known = (await this.database.query(IS_KNOWN, [publicationId])) as unknown[];
    if (known.length === 0) throw new PublicationNotFound(publicationId);
    return { rows };
  }
}
