import type { DataSource } from 'typeorm';
import type { Begun, KeptAnswer, KeyedCall, Settled } from './requests.js';
import { BEGIN, FORGET, SETTLE } from './sql.js';

export interface KeyedCallLimits {
  /** How long an answer is given again, in seconds. */
  readonly keptS: number;
  /** How long an attempt may be silent before the same call may be made again, in seconds. */
  readonly claimS: number;
}

export const DEFAULT_KEYED_CALL_LIMITS: KeyedCallLimits = { keptS: 24 * 3_600, claimS: 15 };

/** Old calls removed in one statement. */
const FORGET_BATCH = 5_000;

interface Row {
  readonly key: string;
  readonly seed: string | null;
  readonly again: boolean | null;
  readonly answer: KeptAnswer | null;
  readonly same: boolean | null;
}

/**
 * Remembers calls by the keys that their callers chose, so that a call that is repeated has one effect and one answer.
 *
 * Who claims a key makes the call and keeps its answer. The claim lapses when whoever made it goes silent, and the next
 * one repeats the call with the same seed: its effects get the same ids, and are the same effects.
 */
export class KeyedCalls {
  constructor(
    private readonly database: DataSource,
    private readonly limits: KeyedCallLimits = DEFAULT_KEYED_CALL_LIMITS,
  ) {}

  /** @param calls of different keys */
  async begin(calls: readonly KeyedCall[]): Promise<Begun[]> {
    const { claimS, keptS } = this.limits;
    const values = [JSON.stringify(calls), claimS, keptS];
    const rows = (await this.database.query(BEGIN, values)) as Row[];
    const found = new Map(rows.map(row => [row.key, row]));
    return calls.map(({ key }) => begun(found.get(key)!));
  }

  async settle(calls: readonly Settled[]): Promise<void> {
    await this.database.query(SETTLE, [JSON.stringify(calls), this.limits.claimS]);
  }

  /** Forgets the answers that have been kept for long enough. @returns how many */
  async forget(): Promise<number> {
    for (let total = 0; ;) {
      const [, count] = (await this.database.query(FORGET, [this.limits.keptS, FORGET_BATCH])) as [
        unknown,
        number,
      ];
      total += count;
      if (count < FORGET_BATCH) return total;
    }
  }
}

function begun({ seed, again, answer, same }: Row): Begun {
  if (seed !== null) return { state: 'claimed', seed, again: again === true };
  if (same === false) return { state: 'another_call' };
  return answer === null ? { state: 'under_way' } : { state: 'answered', answer };
}
