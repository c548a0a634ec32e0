import type { DataSource, EntityManager } from 'typeorm';
import { codeOf, SqlState } from '../runtime/sql-state.js';
import { Wakeup } from '../runtime/wakeup.js';
import { leave, WorkSignals } from '../runtime/work-signals.js';

/** Subscriptions that an operator has paused, for all instances and across restarts. */

/** How often a paused subscription checks whether it may go on, in ms, should the signal be lost. */
const POLL_MS = 5_000;

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
  const wakeup = new Wakeup();
  const wake = () => wakeup.wake();
  const forget = WorkSignals.of(database).on('resumed', wake);
  signal.addEventListener('abort', wake);
  try {
    while (!signal.aborted) {
      const [{ paused }] = (await database.query(IS_PAUSED, [subscription])) as [{ paused: boolean }];
      if (!paused) return;
      await wakeup.wait(POLL_MS);
    }
    throw new ClosedWhilePaused(subscription);
  } finally {
    forget();
    signal.removeEventListener('abort', wake);
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
  leave(tx, 'resumed');
  return resumed.length > 0;
}

export interface Pause {
  readonly at: string;
  readonly by: string;
  readonly reason: string;
}

/** The current pauses. */
export const PAUSES = 'SELECT subscription, paused_at AS at, paused_by AS by, reason FROM messaging.paused';

export interface PauseRow extends Pause {
  readonly subscription: string;
}

/** By subscription. */
export function pausesOf(rows: readonly PauseRow[]): ReadonlyMap<string, Pause> {
  return new Map(
    rows.map(({ subscription, at, by, reason }) => [
      subscription,
      { at: new Date(at).toISOString(), by, reason },
    ]),
  );
}
