import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PublicationChunkStaged, PublicationsDue } from '#contracts';
import { Outbox, Timers } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { CatalogConfig } from '../catalog.config.js';

/** How many releases a second there are at full rate: the more, the smoother, and the more messages. */
const RELEASES_PER_SECOND = 8;
/** A part that was released longer ago, in seconds, holds up no others: it may be a dead letter. */
const STUCK_S = 60;

// Whoever adds work shares the lock, and whoever looks for work holds it alone: so a part that is staged while a release
// finds nothing is either seen by it, or wakes the next one.
const ADD_WORK = "SELECT pg_advisory_xact_lock_shared(hashtext('publications'))";
const LOOK_FOR_WORK = "SELECT pg_advisory_xact_lock(hashtext('publications'))";

const IS_SCHEDULED = `SELECT FROM messaging.timer WHERE type = '${PublicationsDue.type}'`;

const STATE = `
SELECT now() AS now, EXISTS (${IS_SCHEDULED}) AS scheduled,
  (SELECT coalesce(sum(size), 0)::int FROM publication_chunk
   WHERE done_at IS NULL AND dropped_at IS NULL AND released_at > now() - interval '${STUCK_S} seconds') AS "inHand"`;

/** The parts with the lowest numbers: publications at the same time take turns. */
const RELEASE = `
WITH waiting AS (
  SELECT c.publication_id, c.chunk, c.size, sum(c.size) OVER (ORDER BY c.chunk, p.number) AS upto, p.number
  FROM publication_chunk c JOIN publication p ON p.id = c.publication_id
  WHERE c.released_at IS NULL AND c.dropped_at IS NULL AND p.paused_at IS NULL AND p.cancelled_at IS NULL
  ORDER BY c.chunk, p.number LIMIT $1
), released AS (
  UPDATE publication_chunk c SET released_at = now() FROM waiting w
  WHERE c.publication_id = w.publication_id AND c.chunk = w.chunk AND w.upto - w.size < $1
  RETURNING c.publication_id, c.chunk, c.size, w.number
)
SELECT publication_id AS "publicationId", chunk, size FROM released ORDER BY chunk, number`;

/**
 * Hands parts of publications to the queue at a bounded rate, for all instances together. The timer is the bound: after
 * each release one is set for when the rows of that release have had their time, and until then nothing is released.
 */
@Injectable()
export class ReleaseChunks {
  private readonly rate: number;

  constructor(
    private readonly outbox: Outbox,
    private readonly timers: Timers,
    @Inject(SERVICE_CONFIG) { PUBLICATION_RATE }: CatalogConfig,
  ) {
    this.rate = PUBLICATION_RATE;
  }

  /** Before anything is staged, so that a release that finds nothing is not made meanwhile. */
  async addWork(tx: EntityManager): Promise<void> {
    await tx.query(ADD_WORK);
  }

  /** Something waits: the next release comes at once, or with the timer that is set. */
  async wake(tx: EntityManager): Promise<void> {
    const scheduled = (await tx.query(IS_SCHEDULED)) as unknown[];
    if (scheduled.length === 0) await this.outbox.publish(tx, PublicationsDue, {});
  }

  /** Nothing is released until the transaction ends. */
  async hold(tx: EntityManager): Promise<void> {
    await tx.query(LOOK_FOR_WORK);
  }

  /** @param at when this release was due; without it, now */
  async release(tx: EntityManager, at: string | undefined): Promise<void> {
    await this.hold(tx);
    const [{ now, scheduled, inHand }] = (await tx.query(STATE)) as [
      { now: Date; scheduled: boolean; inHand: number },
    ];
    // A release was made since this one was asked for.
    if (scheduled) return;
    // What the steps have not caught up with is not added to.
    const wanted = Math.min(Math.ceil(this.rate / RELEASES_PER_SECOND), this.rate - inHand);
    const released =
      wanted <= 0
        ? []
        : ((await tx.query(RELEASE, [wanted])) as { publicationId: string; chunk: number; size: number }[]);
    if (wanted > 0 && released.length === 0) return;
    const events = released.map(({ publicationId, chunk }) => ({ publicationId, chunk }));
    await this.outbox.publish(tx, PublicationChunkStaged, events);
    const rows = released.reduce((total, { size }) => total + size, 0);
    const pauseMs = 1_000 * (rows > 0 ? rows / this.rate : 1 / RELEASES_PER_SECOND);
    // From when it was due: what one release is late, the next one makes up for, up to a second.
    const from = Math.max(at === undefined ? now.getTime() : Date.parse(at), now.getTime() - 1_000);
    const dueAt = new Date(from + pauseMs);
    await this.timers.schedule(tx, PublicationsDue, [{ event: { at: dueAt.toISOString() }, dueAt }]);
  }
}
