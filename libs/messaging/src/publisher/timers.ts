import type { EntityManager } from 'typeorm';
import type { EventDefinition, EventOf } from '../message/define-event.js';
import { envelop } from '../message/envelope.js';
import { leave } from '../runtime/work-signals.js';
import {
  checkSize,
  checkTopic,
  type OutboxLimits,
  PublishOutsideTransaction,
  TooManyEvents,
} from './outbox.js';
import { CANCEL, SCHEDULE } from './timer-sql.js';

export interface Scheduled<Event> {
  readonly event: Event;
  readonly dueAt: Date;
}

/** Events to publish later, kept in the service's database until they are due by the database's clock. */
export class Timers {
  constructor(private readonly limits: OutboxLimits) {}

  /**
   * Publishes each event when it is due, if the caller's transaction commits. There is one timer per key:
   * scheduling again replaces it.
   * @throws PublishOutsideTransaction, UndeclaredTopic, InvalidEvent, TooManyEvents, MessageTooLarge
   */
  async schedule<D extends EventDefinition>(
    tx: EntityManager,
    definition: D,
    timers: readonly Scheduled<EventOf<D>>[],
  ): Promise<void> {
    if (tx.queryRunner?.isTransactionActive !== true) throw new PublishOutsideTransaction(definition.type);
    checkTopic(definition, this.limits.topics);
    if (timers.length === 0) return;
    if (timers.length > this.limits.maxEvents) {
      throw new TooManyEvents(definition.type, timers.length, this.limits.maxEvents);
    }
    const rows = timers.map(({ event, dueAt }) => {
      const { topic, key, traceparent, payload } = envelop(definition, event);
      // Check now, while the caller can still get the error: later it would stop the relay.
      checkSize(topic, key, payload, this.limits.maxMessageBytes);
      return `{"key":${JSON.stringify(key)},"traceparent":"${traceparent}","payload":${payload},"due_at":"${dueAt.toISOString()}"}`;
    });
    await tx.query(SCHEDULE, [definition.topic, definition.type, `[${rows.join(',')}]`]);
    leave(tx, 'timers');
  }

  /** Cancels timers, in the caller's transaction. A timer that has already fired is an event in flight. */
  async cancel(tx: EntityManager, definition: EventDefinition, keys: readonly string[]): Promise<void> {
    if (tx.queryRunner?.isTransactionActive !== true) throw new PublishOutsideTransaction(definition.type);
    if (keys.length > 0) await tx.query(CANCEL, [definition.type, keys]);
  }
}
