import { Logger } from '@nestjs/common';
import { classifyMessage } from './classify-message.js';
import { DEFAULT_HANDLER_MS, withinLimit } from './handler-limit.js';
import type { Subscription } from './subscription.js';
import { failedChannel, settledChannel } from './signals.js';
import { Header } from '../message/envelope.js';
import { runInTrace } from '../message/trace.js';
import type { Batch } from '../transport/transport.js';

/**
 * Handles this instance's copy of a broadcast. A broadcast refreshes what an instance keeps in memory, so it
 * has no receipts and no transaction. A copy that fails or does not parse is reported and skipped.
 */
export class BroadcastConsumer {
  private readonly logger = new Logger(BroadcastConsumer.name);

  constructor(private readonly subscription: Subscription) {}

  async handle(batch: Batch): Promise<void> {
    const { name, timeoutMs = DEFAULT_HANDLER_MS } = this.subscription;
    const { topic, partition } = batch;
    const classified = batch.messages.map(message => classifyMessage(this.subscription, message));
    const counts = { handled: 0, skipped: 0, duplicate: 0, parked: 0, dead: 0 };
    for (const item of classified) {
      if (item.kind === 'skip') counts.skipped += 1;
      if (item.kind !== 'dead') continue;
      counts.dead += 1;
      this.logger.error(
        `${name}: a copy at ${topic}/${partition}:${item.message.position} was skipped: ${item.problem}`,
      );
    }
    for (const { route, event, message } of classified.filter(item => item.kind === 'handle')) {
      try {
        await runInTrace(message.headers[Header.traceparent], () =>
          withinLimit(name, timeoutMs, () => route.invoke(event, { tx: undefined, messages: [message] })),
        );
        counts.handled += 1;
      } catch (error) {
        counts.dead += 1;
        this.logger.error(
          `${name}: a copy at ${topic}/${partition}:${message.position} failed: ${String(error)}`,
        );
        failedChannel.publish({ subscription: name, topic, partition, size: 1, error });
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
