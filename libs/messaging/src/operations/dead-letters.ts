import type { DataSource, EntityManager } from 'typeorm';
import { lockProgress } from '../consumer/progress.js';
import { takeReceipt } from '../consumer/inbox.js';
import { DomainError } from '../message/domain-error.js';
import { Header, LONGEST_KEY } from '../message/envelope.js';
import { traceIdOf } from '../message/trace.js';
import {
  type DecidedLetter,
  decideOnLetter,
  findUndecided,
  getLetter,
  letterClock,
  type LetterFilter,
  type LetterPage,
  type LetterRow,
  listLetters,
} from '../parking/dead-letter-store.js';
import { noteOutcome } from '../parking/outcome.js';
import { discardHeld, release, repark } from '../parking/parked-messages.js';
import { SEND_AGAIN } from '../publisher/outbox-sql.js';
import { leave } from '../runtime/work-signals.js';
import { recordAction } from './operator-actions.js';
import type { DeadLetter } from './states.js';

/** Its key or id is too long for an index. It can be looked at and discarded, but not handled. */
export class LetterNotReplayable extends DomainError {
  readonly code = 'not_replayable';
  constructor(readonly id: string) {
    super(
      `dead letter ${id} has a key or an id longer than ${LONGEST_KEY} bytes; discard it, and fix its producer`,
    );
  }
}

/** Which letters, and which page of them. */
export type DeadLetterQuery = Omit<LetterPage, 'filter'> & { readonly filter?: LetterFilter };

/** An operator's decision on all letters that match. */
export type BulkDecision = {
  readonly by: string;
  readonly filter: LetterFilter;
  /** How many of the found letters to skip, because they could not be decided on. */
  readonly skip: number;
  /** Letters that died later are left alone. Defaults to now, by the clock of the service's database. */
  readonly diedBefore?: string | undefined;
  /** Most letters in one call. */
  readonly limit: number;
} & ({ readonly decision: 'replay' } | { readonly decision: 'discard'; readonly reason: string });

export interface BulkResult {
  /** How many letters were found for this call. */
  readonly found: number;
  readonly done: number;
  /** Letters that cannot be replayed at all. They stay as they are. */
  readonly failed: number;
  /** For the next call: a replayed letter may die again. */
  readonly diedBefore: string;
}

/** Messages given up, and what an operator decides on them. */
export class DeadLetters {
  constructor(private readonly database: DataSource) {}

  /** The newest first. */
  async list({ filter = {}, ...page }: DeadLetterQuery): Promise<DeadLetter[]> {
    return (await listLetters(this.database, { filter, ...page })).map(toDeadLetter);
  }

  async get(id: string): Promise<DeadLetter | null> {
    const row = await getLetter(this.database, id);
    return row === undefined ? null : toDeadLetter(row);
  }

  /** Decides each letter in its own transaction: what is decided stays decided, even if a later one fails. */
  async decideAll(decision: BulkDecision): Promise<BulkResult> {
    const { filter, by } = decision;
    const diedBefore = decision.diedBefore ?? (await letterClock(this.database));
    const ids = await findUndecided(this.database, filter, diedBefore, decision);
    let [done, failed] = [0, 0];
    for (const id of ids) {
      try {
        const decided =
          decision.decision === 'replay' ? this.replay(id, by) : this.discard(id, by, decision.reason);
        if (await decided) done += 1;
      } catch (error) {
        if (!(error instanceof LetterNotReplayable)) throw error;
        failed += 1;
      }
    }
    return { found: ids.length, done, failed, diedBefore };
  }

  /**
   * Puts a letter back at its place in its key, to be tried as if for the first time. If it did not parse and
   * a copy of it has been handled since, it is done. One that the queue refused is sent again, after what waits in the
   * outbox now.
   * @returns false if there is no undecided letter with this id
   * @throws LetterNotReplayable; the letter is then unchanged
   */
  async replay(id: string, by: string): Promise<boolean> {
    return this.decide(id, 'replayed', by, null, async (tx, letter) => {
      if (letter.reason === 'refused') {
        await tx.query(SEND_AGAIN, [id, letter.headers]);
        leave(tx, 'outbox');
        return;
      }
      if (isTooLong(letter)) throw new LetterNotReplayable(id);
      // A batch in progress finishes first; later messages of the key find it parked and line up behind it.
      if (!letter.holds_key) await lockProgress(tx, letter.subscription, letter);
      const isCopy = letter.reason === 'invalid' && !(await this.takeReceipt(tx, letter));
      if (letter.holds_key) await (isCopy ? discardHeld(tx, letter) : release(tx, letter));
      else if (isCopy) await noteOutcome(tx, letter, 'dead', 'discarded');
      else await repark(tx, id, letter);
    });
  }

  /**
   * Gives up a letter for good. It is kept, with who decided on it and why. Its key goes on.
   * @returns false if there is no undecided letter with this id
   */
  async discard(id: string, by: string, reason: string): Promise<boolean> {
    return this.decide(id, 'discarded', by, reason, async (tx, letter) => {
      if (letter.reason === 'refused') return;
      if (letter.holds_key) await discardHeld(tx, letter);
      else await noteOutcome(tx, letter, 'dead', 'discarded');
    });
  }

  /** @returns false when a copy of the letter was handled meanwhile */
  private async takeReceipt(tx: EntityManager, letter: DecidedLetter): Promise<boolean> {
    const id = messageIdOf(letter);
    // Without an id it can never be handled: it becomes a dead letter again, with that reason.
    if (id === '' || id.includes('\0')) return true;
    return takeReceipt(tx, letter.subscription, id);
  }

  private async decide(
    id: string,
    status: 'replayed' | 'discarded',
    by: string,
    note: string | null,
    act: (tx: EntityManager, letter: DecidedLetter) => Promise<void>,
  ): Promise<boolean> {
    return this.database.transaction(async tx => {
      const letter = await decideOnLetter(tx, id, status, by, note);
      if (letter === undefined) return false;
      await act(tx, letter);
      const action = status === 'replayed' ? 'replay' : 'discard';
      await recordAction(tx, by, action, letter.subscription, { deadLetter: id, note });
      return true;
    });
  }
}

function messageIdOf({ headers }: DecidedLetter): string {
  return (JSON.parse(headers) as Record<string, string>)[Header.id] ?? '';
}

function isTooLong(letter: DecidedLetter): boolean {
  return Buffer.byteLength(letter.key) > LONGEST_KEY || Buffer.byteLength(messageIdOf(letter)) > LONGEST_KEY;
}

function toDeadLetter({
  appended_at,
  holds_key,
  dead_at,
  decided_at,
  decided_by,
  ...row
}: LetterRow): DeadLetter {
  const headers = JSON.parse(row.headers) as DeadLetter['headers'];
  return {
    ...row,
    headers,
    traceId: traceIdOf(headers[Header.traceparent]) ?? null,
    appendedAt: appended_at.toISOString(),
    holdsKey: holds_key,
    deadAt: dead_at.toISOString(),
    decidedAt: decided_at?.toISOString() ?? null,
    decidedBy: decided_by,
  };
}
