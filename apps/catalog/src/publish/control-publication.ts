import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { PublicationView } from '#contracts';
import { DomainError } from '#messaging';
import { PublicationViews } from './publication-view.js';
import { ReleaseChunks } from './release-chunks.js';

type Status = PublicationView['status'];

/** The publication is over, or on its way to being over. */
export class WrongPublicationState extends DomainError {
  readonly code = 'wrong_publication_state';
  constructor(
    readonly publicationId: string,
    readonly status: Status,
    wanted: string,
  ) {
    super(`publication ${publicationId} is ${status} and cannot be ${wanted}`);
  }
}

const PAUSE = 'UPDATE publication SET paused_at = coalesce(paused_at, now()) WHERE id = $1';
const RESUME = 'UPDATE publication SET paused_at = NULL WHERE id = $1';
/** What still arrives is refused: it is not receiving any more. */
const CANCEL = `
UPDATE publication SET cancelled_at = now(), status = CASE status WHEN 'receiving' THEN 'broken' ELSE status END
WHERE id = $1`;
const DROP = `
UPDATE publication_chunk SET dropped_at = now(), rows = NULL WHERE publication_id = $1 AND released_at IS NULL`;

/**
 * Pauses, resumes and cancels publications. Parts that were released before are finished: a product is never left between
 * two steps. Each request can be repeated.
 */
@Injectable()
export class ControlPublicationUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly views: PublicationViews,
    private readonly release: ReleaseChunks,
  ) {}

  /** Releases no more of it, across restarts. @throws PublicationNotFound, WrongPublicationState */
  async pause(publicationId: string): Promise<PublicationView> {
    return this.change(publicationId, 'paused', async tx => {
      await tx.query(PAUSE, [publicationId]);
    });
  }

  /** @throws PublicationNotFound, WrongPublicationState */
  async resume(publicationId: string): Promise<PublicationView> {
    return this.change(publicationId, 'resumed', async tx => {
      await tx.query(RESUME, [publicationId]);
      await this.release.wake(tx);
    });
  }

  /** Drops what waits, and what still arrives is refused. @throws PublicationNotFound, WrongPublicationState */
  async cancel(publicationId: string): Promise<PublicationView> {
    return this.change(publicationId, 'cancelled', async tx => {
      await tx.query(CANCEL, [publicationId]);
      await tx.query(DROP, [publicationId]);
    });
  }

  private async change(
    publicationId: string,
    wanted: 'paused' | 'resumed' | 'cancelled',
    apply: (tx: EntityManager) => Promise<void>,
  ): Promise<PublicationView> {
    return this.database.transaction(async tx => {
      // No part is released or staged meanwhile.
      await this.release.hold(tx);
      const { status, remaining } = await this.views.get(publicationId, tx);
      if (status === wanted) return this.views.get(publicationId, tx);
      const isOver =
        status === 'published' || status === 'cancelled' || (status === 'broken' && remaining === 0);
      if (isOver) throw new WrongPublicationState(publicationId, status, wanted);
      await apply(tx);
      return this.views.get(publicationId, tx);
    });
  }
}
