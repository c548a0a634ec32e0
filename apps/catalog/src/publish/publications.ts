import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ClosePublication, OpenPublication, StageChunk } from '#contracts';
import { DomainError, type RequestOf } from '#messaging';
import { PublicationNotFound } from './publication-view.js';
import { ReleaseChunks } from './release-chunks.js';
import { SILENT } from './silent.js';

/** The publication takes no more: it is complete, it was given up, or it was canceled. */
export class PublicationClosed extends DomainError {
  readonly code = 'publication_closed';
  constructor(readonly publicationId: string) {
    super(`publication ${publicationId} takes no more rows: it was closed or cancelled; send the file again`);
  }
}

const STAGE = `
WITH open AS (
  UPDATE publication SET heard_at = now()
  WHERE id = $1 AND status = 'receiving' AND NOT (${SILENT}) RETURNING id
)
INSERT INTO publication_chunk (publication_id, chunk, size, rows) SELECT id, $2, $3, $4 FROM open
ON CONFLICT DO NOTHING RETURNING chunk`;

const IS_STAGED = `
SELECT EXISTS (SELECT FROM publication WHERE id = $1) AS known,
       EXISTS (SELECT FROM publication_chunk WHERE publication_id = $1 AND chunk = $2) AS staged`;

const CLOSE = `
UPDATE publication SET status = $2, problem = $3 WHERE id = $1 AND status = 'receiving' AND NOT (${SILENT})`;

/** Accepts publications. A staged chunk is safe; it waits until it is released to the service's own queue. */
@Injectable()
export class Publications {
  constructor(
    private readonly database: DataSource,
    private readonly release: ReleaseChunks,
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
      await this.release.addWork(tx);
      const staged = (await tx.query(STAGE, [
        publicationId,
        chunk,
        rows.length,
        JSON.stringify(rows),
      ])) as unknown[];
      if (staged.length > 0) return this.release.wake(tx);
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
}
