import { Logger } from '@nestjs/common';
import { segment, sortMessage } from '../consumer/sort-message.js';
import type { Subscription } from '../consumer/subscription.js';
import { failedChannel, settledChannel } from '../consumer/signals.js';
import { Header } from '../message/envelope.js';
import { runInTrace } from '../message/trace.js';
import type { Batch } from '../transport/transport.js';

/**
 * Hands every instance its copy. A broadcast refreshes what an instance keeps in memory, so it has no
 * receipts and no transaction, and a copy that fails or does not parse is reported and passed over.
 */
export class BroadcastConsumer {
  private readonly logger = new Logger(BroadcastConsumer.name);

  constructor(private readonly subscription: Subscription) {}

  async handle(batch: Batch): Promise<void> {
    const { name } = this.subscription;
    const { topic, partition } = batch;
    const sorted = batch.messages.map(message => sortMessage(this.subscription, message));
    const counts = { handled: 0, skipped: 0, duplicate: 0, parked: 0, dead: 0 };
    for (const item of sorted) {
      if (item.kind === 'skip') counts.skipped += 1;
      if (item.kind !== 'dead') continue;
      counts.dead += 1;
      this.logger.error(
        `${name}: a copy at ${topic}/${partition}:${item.message.position} was passed over: ${item.problem}`,
      );
    }
    for (const { route, items } of segment(sorted.filter(item => item.kind === 'handle'))) {
      const calls = route.takesBatch ? [items] : items.map(item => [item]);
      for (const call of calls) {
        const data = route.takesBatch ? call.map(item => item.event) : call[0]!.event;
        const messages = call.map(item => item.message);
        try {
          await runInTrace(messages[0]!.headers[Header.traceparent], () =>
            route.invoke(data, { tx: undefined, messages }),
          );
          counts.handled += call.length;
        } catch (error) {
          counts.dead += call.length;
          this.logger.error(
            `${name}: a copy at ${topic}/${partition}:${messages[0]!.position} failed: ${String(error)}`,
          );
          failedChannel.publish({ subscription: name, topic, partition, size: call.length, error });
        }
      }
    }
    settledChannel.publish({
      subscription: name,
      topic,
      partition,
      position: batch.messages.at(-1)!.position,
      ...counts,
    });
  }
}
