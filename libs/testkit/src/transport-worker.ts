import type { Transport } from '#messaging';

/** What a test asks of a subscriber that runs in its own process, so that it can be killed or frozen. */
export interface WorkerOrder {
  /** A module that exports `connect(options): Transport`. */
  readonly module: string;
  readonly options: unknown;
  readonly group: string;
  readonly topic: string;
  readonly maxBatch: number;
  /** Handles this many messages, then holds the next batch until it loses it. What it gets after that, it handles. */
  readonly holdAfter?: number;
}

export type WorkerReport =
  { readonly kind: 'ready' } | { readonly kind: 'handled' | 'holding'; readonly payloads: readonly string[] };

async function work(order: WorkerOrder): Promise<void> {
  const { connect } = (await import(order.module)) as { connect: (options: unknown) => Transport };
  const transport = connect(order.options);
  let handled = 0;
  let held = false;
  await transport.ensureTopics([]);
  const { group, topic, maxBatch } = order;
  await transport.subscribe(
    { group, topics: [topic], mode: 'competing', startFrom: 'start', maxBatch },
    async ({ messages, signal }) => {
      const payloads = messages.map(message => message.payload.toString());
      if (order.holdAfter !== undefined && handled >= order.holdAfter && !held) {
        held = true;
        report({ kind: 'holding', payloads });
        await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
        return;
      }
      handled += messages.length;
      report({ kind: 'handled', payloads });
    },
  );
  report({ kind: 'ready' });
}

function report(message: WorkerReport): void {
  process.send!(message);
}

if (process.send !== undefined) {
  process.once('message', order => void work(order as WorkerOrder));
  process.once('disconnect', () => process.exit());
}
