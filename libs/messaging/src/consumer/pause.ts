import { setTimeout } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { IS_PAUSED, PAUSED } from '../control/sql.js';

/** How often a paused subscription looks whether it may go on, in ms. */
const POLL_MS = 250;

/** The subscription was paused when its consumer closed; what is in hand is for after the pause. */
export class ClosedWhilePaused extends Error {
  constructor(subscription: string) {
    super(`${subscription} is paused`);
  }
}

export function isPaused(error: unknown): boolean {
  const known = error as { code?: unknown; driverError?: { code?: unknown } } | undefined | null;
  return (known?.code ?? known?.driverError?.code) === PAUSED;
}

/**
 * Resolves when the subscription is not paused.
 * @throws when one of the signals is aborted before
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
