import { Inject, Injectable } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import type { DeadLetter } from '../control/requests.js';
import { MESSAGING_DATABASE } from '../nest/options.js';
import { Header } from '../message/envelope.js';
import { type Count, LOCK_PARTITION, NOTE_OUTCOME, TAKE_RECEIPT, UNPARK } from '../retry/sql.js';
import { DECIDE, LIST_DEAD_LETTERS, RELEASE, REPARK } from './sql.js';

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

interface Decided {
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly holds_key: boolean;
  readonly reason: DeadLetter['reason'];
  /** JSON. */
  readonly headers: string;
}

/** What a letter is asked for by. */
export interface DeadLetterFilter {
  readonly status: DeadLetter['status'];
  readonly subscription?: string;
}

/** Messages given up, and what an operator decides on them. */
@Injectable()
export class DeadLetters {
  constructor(@Inject(MESSAGING_DATABASE) private readonly database: DataSource) {}

  /** The newest first. */
  async list(limit: number, { status, subscription }: DeadLetterFilter): Promise<DeadLetter[]> {
    const values = [limit, status, subscription ?? null];
    return ((await this.database.query(LIST_DEAD_LETTERS, values)) as Row[]).map(toDeadLetter);
  }

  /**
   * Puts a letter back at its place in its key, to be tried as if for the first time. One that did not parse and
   * of which a copy was handled since is done.
   * @returns false when there is none of this id that is still undecided
   */
  async replay(id: string, by: string): Promise<boolean> {
    return this.decide(id, 'replayed', by, null, async (tx, letter) => {
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
    status: DeadLetter['status'],
    by: string,
    note: string | null,
    act: (tx: EntityManager, letter: Decided) => Promise<void>,
  ): Promise<boolean> {
    return this.database.transaction(async tx => {
      const [[letter]] = (await tx.query(DECIDE, [id, status, by, note])) as [Decided[]];
      if (letter !== undefined) await act(tx, letter);
      return letter !== undefined;
    });
  }
}

async function note(tx: EntityManager, letter: Decided, was: Count, became: Count): Promise<void> {
  await tx.query(NOTE_OUTCOME, [...placeOf(letter).slice(0, 3), was, became]);
}

function placeOf({ subscription, topic, partition, position }: Decided): unknown[] {
  return [subscription, topic, partition, position];
}

function toDeadLetter({ appended_at, holds_key, dead_at, decided_at, decided_by, ...row }: Row): DeadLetter {
  return {
    ...row,
    headers: JSON.parse(row.headers) as DeadLetter['headers'],
    appendedAt: appended_at.toISOString(),
    holdsKey: holds_key,
    deadAt: dead_at.toISOString(),
    decidedAt: decided_at?.toISOString() ?? null,
    decidedBy: decided_by,
  };
}
