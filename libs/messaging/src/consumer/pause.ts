import { setTimeout } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import { codeOf, SqlState } from '../runtime/sql-state.js';

/** Subscriptions that an operator has paused, for all instances and across restarts. */

/** How often a paused subscription checks whether it may go on, in ms. */
const POLL_MS = 250;

/** The subscription was paused when its consumer closed. Its batch is left for after the pause. */
export class ClosedWhilePaused extends Error {
  constructor(subscription: string) {
    super(`${subscription} is paused`);
  }
}

/** Whether a batch was refused because its subscription is paused. */
export function isPaused(error: unknown): boolean {
  return codeOf(error) === SqlState.paused;
}

const IS_PAUSED = 'SELECT EXISTS (SELECT FROM messaging.paused WHERE subscription = $1) AS paused';

/**
 * Resolves when the subscription is not paused.
 * @throws ClosedWhilePaused when the signal is aborted before
 */
export async function untilResumed(
  database: DataSource,
  subscription: string,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const [{ paused }] = (await database.query(IS_PAUSED, [subscription])) as [{ paused: boolean }];
    if (!paused) return;
    await setTimeout(POLL_MS, undefined, { signal }).catch(() => {
      throw new ClosedWhilePaused(subscription);
    });
  }
}

const PAUSE = `
INSERT INTO messaging.paused (subscription, paused_by, reason) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING subscription`;

/** @returns false if it was already paused; the first reason stays */
export async function pause(
  tx: EntityManager,
  subscription: string,
  by: string,
  reason: string,
): Promise<boolean> {
  return ((await tx.query(PAUSE, [subscription, by, reason])) as unknown[]).length > 0;
}

const RESUME = 'DELETE FROM messaging.paused WHERE subscription = $1 RETURNING subscription';

/** @returns false when it was not paused */
export async function resume(tx: EntityManager, subscription: string): Promise<boolean> {
  const [resumed] = (await tx.query(RESUME, [subscription])) as [unknown[]];
  return resumed.length > 0;
}

export interface Pause {
  readonly at: string;
  readonly by: string;
  readonly reason: string;
}

const LIST = 'SELECT subscription, paused_by, reason, paused_at FROM messaging.paused';

/** Who has paused what, when and why. */
export async function listPauses(database: DataSource): Promise<ReadonlyMap<string, Pause>> {
  const rows = (await database.query(LIST)) as {
    subscription: string;
    paused_by: string;
    reason: string;
    paused_at: Date;
  }[];
  return new Map(
    rows.map(({ subscription, paused_by: by, reason, paused_at }) => [
      subscription,
      { at: paused_at.toISOString(), by, reason },
    ]),
  );
}
