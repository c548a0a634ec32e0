import type { DataSource } from 'typeorm';
import { partitionName } from '../message/received-message.js';
import type { Batch } from '../transport/transport.js';

/** A message that ends its process this often while it is tried alone is parked without another try. */
const MOST_DEATHS = 2;

/** The process ended while a message was tried, and left no other trace of the attempt. */
export class ProcessEnded extends Error {
  constructor() {
    super('the process ended while the message was being handled');
  }
}

/**
 * What was begun and has no result counts as a death of the process when the same is begun again. Messages before one
 * that was begun alone are settled, even where the transport does not know it yet: they leave its record as it is.
 */
const BEGIN = `
INSERT INTO messaging.attempt AS a (subscription, topic, partition, position, alone, open, deaths)
VALUES ($1, $2, $3, $4, $5, true, 0)
ON CONFLICT (subscription, topic, partition) DO UPDATE
SET position = excluded.position, alone = excluded.alone, open = true,
    deaths = CASE WHEN a.open AND a.alone = excluded.alone AND a.position = excluded.position
                  THEN a.deaths + 1 ELSE 0 END
WHERE NOT (a.open AND a.alone AND excluded.alone AND excluded.position < a.position)
RETURNING deaths`;

const WAS_ALONE = `
SELECT EXISTS (SELECT FROM messaging.attempt
  WHERE subscription = $1 AND topic = $2 AND partition = $3 AND open AND alone) AS alone`;

const END = `
UPDATE messaging.attempt SET open = false, deaths = 0
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND open`;

interface Ownership {
  readonly epoch: number;
  /** Messages are tried one by one, each noted before it is tried. */
  alone: boolean;
  /** An attempt is noted that has no result yet. */
  open: boolean;
}

/**
 * Finds messages whose handler ends the process: `process.exit`, a rejection that nobody handles, memory that runs
 * out. Such a handler leaves no error behind, so the attempt is noted before it is made. An owner of a partition notes
 * its first batch. If that note is still open when the next owner begins at the same place, the next owner tries
 * messages one by one, and notes each. Costs two small statements for each change of owner.
 */
export class CrashGuard {
  private readonly owned = new Map<string, Ownership>();

  constructor(
    private readonly database: DataSource,
    private readonly subscription: string,
  ) {}

  /** Before a batch. @returns whether its messages must be tried one by one, with `attempt` before each */
  async enter(batch: Batch): Promise<boolean> {
    const place = this.placeOf(batch);
    const known = this.owned.get(partitionName(batch));
    if (known?.epoch === batch.epoch) return known.alone;
    const [{ alone: wasAlone }] = (await this.database.query(WAS_ALONE, place)) as [{ alone: boolean }];
    const alone = wasAlone || (await this.begin(batch, batch.messages[0]!.position, false)) > 0;
    this.owned.set(partitionName(batch), { epoch: batch.epoch, alone, open: true });
    return alone;
  }

  /** Notes that a message is tried alone. @returns whether it ended the process so often that it must not be tried */
  async attempt(batch: Batch, position: number): Promise<boolean> {
    const deaths = await this.begin(batch, position, true);
    const isLethal = deaths >= MOST_DEATHS;
    const known = this.owned.get(partitionName(batch));
    // The record of a lethal message stays until it is parked: it must not be tried again if parking fails.
    if (known !== undefined) known.open = !isLethal;
    return isLethal;
  }

  /** After a batch, whatever became of it: the process is still there. */
  async survive(batch: Batch, done: boolean): Promise<void> {
    const known = this.owned.get(partitionName(batch));
    if (known === undefined) return;
    if (done) known.alone = false;
    if (!known.open) return;
    // Without a database it stays open, and counts as one death more than there were.
    await this.database.query(END, this.placeOf(batch)).then(
      () => (known.open = false),
      () => undefined,
    );
  }

  private async begin(batch: Batch, position: number, alone: boolean): Promise<number> {
    const values = [...this.placeOf(batch), position, alone];
    const [begun] = (await this.database.query(BEGIN, values)) as [{ deaths: number }?];
    return begun?.deaths ?? 0;
  }

  private placeOf({ topic, partition }: Batch): unknown[] {
    return [this.subscription, topic, partition];
  }
}
