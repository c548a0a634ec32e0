import { Inject, Injectable } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import type { z } from 'zod';
import { recordAction } from '../control/operator-actions.js';
import type {
  DeadLetter,
  DeadLetterFilter,
  decideOnDeadLetters,
  listDeadLetters,
} from '../control/requests.js';
import type { ReplyOf, RequestOf } from '../message/define-request.js';
import { MESSAGING_DATABASE } from '../nest/options.js';
import { DomainError } from '../message/domain-error.js';
import { Header, LONGEST_KEY } from '../message/envelope.js';
import { traceIdOf } from '../message/trace.js';
import { type Count, LOCK_PARTITION, NOTE_OUTCOME, TAKE_RECEIPT, UNPARK } from '../retry/sql.js';
import { DECIDE, FIND_UNDECIDED, GET_DEAD_LETTER, LIST_DEAD_LETTERS, NOW, RELEASE, REPARK } from './sql.js';

interface Row {
  readonly id: string;
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly key: string;
  /** JSON. */
  readonly headers: string;
  /** Base64. */
  readonly payload: string;
  readonly appended_at: Date;
  readonly reason: DeadLetter['reason'];
  readonly errors: DeadLetter['errors'];
  readonly holds_key: boolean;
  readonly dead_at: Date;
  readonly status: DeadLetter['status'];
  readonly decided_at: Date | null;
  readonly decided_by: string | null;
  readonly note: string | null;
}

/** It came with what no index takes, and can be looked at and discarded, but not handled. */
export class LetterNotReplayable extends DomainError {
  readonly code = 'not_replayable';
  constructor(readonly id: string) {
    super(
      `dead letter ${id} has a key or an id longer than ${LONGEST_KEY} bytes; discard it, and mend who sent it`,
    );
  }
}

interface Decided {
  readonly key: string;
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly holds_key: boolean;
  readonly reason: DeadLetter['reason'];
  /** JSON. */
  readonly headers: string;
}

/** Which letters, and which of them. */
export type DeadLetterQuery = z.input<ReturnType<typeof listDeadLetters>['schema']>;
/** What an operator does with all letters that fit. */
export type BulkDecision = RequestOf<ReturnType<typeof decideOnDeadLetters>>;
type BulkResult = ReplyOf<ReturnType<typeof decideOnDeadLetters>>;

/** Messages given up, and what an operator decides on them. */
@Injectable()
export class DeadLetters {
  constructor(@Inject(MESSAGING_DATABASE) private readonly database: DataSource) {}

  /** The newest first. */
  async list({ limit, status, filter = {}, after }: DeadLetterQuery): Promise<DeadLetter[]> {
    const page = [status, after?.deadAt ?? null, after?.id ?? null];
    const values = [limit, ...valuesOf(filter), ...page];
    return ((await this.database.query(LIST_DEAD_LETTERS, values)) as Row[]).map(toDeadLetter);
  }

  async get(id: string): Promise<DeadLetter | null> {
    const [row] = (await this.database.query(GET_DEAD_LETTER, [id])) as Row[];
    return row === undefined ? null : toDeadLetter(row);
  }

  /** Each in a transaction of its own: what is decided stays so, wherever it ends. */
  async decideAll(decision: BulkDecision): Promise<BulkResult> {
    const { filter, limit, by, passOver } = decision;
    const diedBefore = decision.diedBefore ?? (await this.now());
    const wanted = [limit, ...valuesOf(filter), diedBefore, passOver];
    const rows = (await this.database.query(FIND_UNDECIDED, wanted)) as { id: string }[];
    let [done, failed] = [0, 0];
    for (const { id } of rows) {
      try {
        const decided =
          decision.decision === 'replay' ? this.replay(id, by) : this.discard(id, by, decision.reason);
        if (await decided) done += 1;
      } catch (error) {
        if (!(error instanceof LetterNotReplayable)) throw error;
        failed += 1;
      }
    }
    return { found: rows.length, done, failed, diedBefore };
  }

  private async now(): Promise<string> {
    const [{ now }] = (await this.database.query(NOW)) as [{ now: Date }];
    return now.toISOString();
  }

  /**
   * Puts a letter back at its place in its key, to be tried as if for the first time. One that did not parse and
   * of which a copy was handled since is done.
   * @returns false when there is none of this id that is still undecided
   * @throws LetterNotReplayable; it is then as it was
   */
  async replay(id: string, by: string): Promise<boolean> {
    return this.decide(id, 'replayed', by, null, async (tx, letter) => {
      if (isTooLong(letter)) throw new LetterNotReplayable(id);
      if (letter.holds_key) {
        await tx.query(RELEASE, placeOf(letter));
        return;
      }
      // What is in hand of its key is done first; what comes after finds it parked and lines up behind it.
      await tx.query(LOCK_PARTITION, placeOf(letter).slice(0, 3));
      const isCopy = letter.reason === 'invalid' && !(await this.takeReceipt(tx, letter));
      if (!isCopy) await tx.query(REPARK, [id]);
      await note(tx, letter, 'dead', isCopy ? 'discarded' : 'parked');
    });
  }

  /**
   * Gives a letter up for good; it is kept, with who decided it and why. Its key goes on.
   * @returns false when there is none of this id that is still undecided
   */
  async discard(id: string, by: string, reason: string): Promise<boolean> {
    return this.decide(id, 'discarded', by, reason, async (tx, letter) => {
      if (letter.holds_key) await tx.query(UNPARK, placeOf(letter));
      await note(tx, letter, letter.holds_key ? 'parked' : 'dead', 'discarded');
    });
  }

  /** @returns false when a copy of the letter was handled meanwhile */
  private async takeReceipt(tx: EntityManager, { subscription, headers }: Decided): Promise<boolean> {
    const id = (JSON.parse(headers) as Record<string, string>)[Header.id];
    // Without an id it cannot be handled whatever is mended; it dies again, and says so.
    if (!id || id.includes('\0')) return true;
    return ((await tx.query(TAKE_RECEIPT, [subscription, id])) as unknown[]).length > 0;
  }

  private async decide(
    id: string,
    status: 'replayed' | 'discarded',
    by: string,
    note: string | null,
    act: (tx: EntityManager, letter: Decided) => Promise<void>,
  ): Promise<boolean> {
    return this.database.transaction(async tx => {
      const [[letter]] = (await tx.query(DECIDE, [id, status, by, note])) as [Decided[]];
      if (letter === undefined) return false;
      await act(tx, letter);
      const action = status === 'replayed' ? 'replay' : 'discard';
      await recordAction(tx, by, action, letter.subscription, { deadLetter: id, note });
      return true;
    });
  }
}

function isTooLong({ key, headers }: Decided): boolean {
  const id = (JSON.parse(headers) as Record<string, string>)[Header.id] ?? '';
  return Buffer.byteLength(key) > LONGEST_KEY || Buffer.byteLength(id) > LONGEST_KEY;
}

async function note(tx: EntityManager, letter: Decided, was: Count, became: Count): Promise<void> {
  await tx.query(NOTE_OUTCOME, [...placeOf(letter).slice(0, 3), was, became]);
}

function placeOf({ subscription, topic, partition, position }: Decided): unknown[] {
  return [subscription, topic, partition, position];
}

/** As the statements have them: type and trace as they stand in headers that are kept as JSON. */
function valuesOf({
  subscription,
  type,
  key,
  reason,
  error,
  contains,
  traceId,
  since,
  until,
}: DeadLetterFilter) {
  const header = type === undefined ? null : `"${Header.type}":${JSON.stringify(type)}`;
  const trace = traceId === undefined ? null : `"${Header.traceparent}":"00-${traceId}-`;
  const asked = [subscription, header, key, reason, error, contains, trace, since, until];
  return asked.map(value => value ?? null);
}

function toDeadLetter({ appended_at, holds_key, dead_at, decided_at, decided_by, ...row }: Row): DeadLetter {
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
