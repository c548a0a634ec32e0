export interface BatcherOptions<Item> {
  /** Most items in one batch. */
  readonly maxItems: number;
  /** Most weight in one batch; an item that is heavier goes alone. */
  readonly maxWeight?: number;
  readonly weigh?: (item: Item) => number;
  /** Whether a batch waits for the previous one of its lane; then its size follows the load. */
  readonly oneAtATime: boolean;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface Lane<Item, Result> {
  readonly waiting: Waiting<Item, Result>[];
  working: boolean;
}

/**
 * Gathers items that are added at one moment and processes them together, in the order of adding. Items added
 * in one turn of the event loop make one batch; with `oneAtATime`, so do items added while the previous batch
 * is in progress.
 */
export class Batcher<Item, Result> {
  private readonly lanes = new Map<string, Lane<Item, Result>>();
  private count = 0;
  private idle: (() => void)[] = [];

  /** @param work processes a batch of one lane and returns a result for each item, in their order */
  constructor(
    private readonly work: (items: readonly Item[], lane: string) => Promise<readonly Result[]>,
    private readonly options: BatcherOptions<Item>,
  ) {}

  /** Items that have no result yet. */
  get size(): number {
    return this.count;
  }

  /** @throws what the batch of the item throws */
  add(item: Item, name = ''): Promise<Result> {
    return new Promise((resolve, reject) => {
      const lane = this.lanes.get(name) ?? { waiting: [], working: false };
      this.lanes.set(name, lane);
      lane.waiting.push({ item, resolve, reject });
      this.count += 1;
      if (lane.working) return;
      lane.working = true;
      setImmediate(() => void this.run(name, lane));
    });
  }

  /** Resolves when every item has its result. */
  async settled(): Promise<void> {
    if (this.count > 0) await new Promise<void>(resolve => this.idle.push(resolve));
  }

  private async run(name: string, lane: Lane<Item, Result>): Promise<void> {
    while (lane.waiting.length > 0) {
      const done = this.settle(name, this.take(lane));
      if (this.options.oneAtATime) await done;
    }
    lane.working = false;
    this.lanes.delete(name);
  }

  private take({ waiting }: Lane<Item, Result>): Waiting<Item, Result>[] {
    const { maxItems, maxWeight = Infinity, weigh } = this.options;
    let count = 0;
    for (let weight = 0; count < Math.min(waiting.length, maxItems); count += 1) {
      weight += weigh?.(waiting[count]!.item) ?? 0;
      if (count > 0 && weight > maxWeight) break;
    }
    return waiting.splice(0, count);
  }

  private async settle(name: string, batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.work(
        batch.map(each => each.item),
        name,
      );
      for (const [index, each] of batch.entries()) each.resolve(results[index]!);
    } catch (error) {
      for (const each of batch) each.reject(error);
    } finally {
      this.count -= batch.length;
      if (this.count === 0) for (const resolve of this.idle.splice(0)) resolve();
    }
  }
}
