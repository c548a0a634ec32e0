import type { EntityManager } from 'typeorm';
import type { EventDefinition, EventOf } from '../message/define-event.js';
import { envelop } from '../message/envelope.js';
import { leave } from '../runtime/work-signals.js';
import { MessageTooLarge } from '../transport/transport.js';
import { PUBLISH } from './outbox-sql.js';

/** Named limits of one call to `publish`. */
export interface OutboxLimits {
  /** Most events in one call; each holds a lock until the transaction ends. */
  readonly maxEvents: number;
  /** The longest event the transport takes, in bytes of JSON. */
  readonly maxMessageBytes: number;
  /** The topics that the service has declared to publish to; any, if left out. */
  readonly topics?: readonly string[] | undefined;
}

export const DEFAULT_PUBLISH_EVENTS: OutboxLimits['maxEvents'] = 5_000;

export interface PublishOptions {
  /** The trace of each event; the current one where left out. */
  readonly traceparents?: readonly (string | undefined)[];
}

export class PublishOutsideTransaction extends Error {
  constructor(type: string) {
    super(
      `${type} was not published: the EntityManager has no open transaction. ` +
        'Publish with the manager that database.transaction(async tx => …) hands you',
    );
  }
}

export class TooManyEvents extends Error {
  constructor(type: string, count: number, limit: number) {
    super(
      `${count} events of ${type} in one call, the limit is ${limit}; publish in several calls or transactions`,
    );
  }
}

/** The service has not said that it publishes to the topic, so nobody may have created it. */
export class UndeclaredTopic extends Error {
  constructor(
    readonly type: string,
    readonly topic: string,
  ) {
    super(
      `${type} was not published: its topic "${topic}" is not declared; ` +
        `add it to \`publishes\` of the service's MessagingModule`,
    );
  }
}

/** @throws UndeclaredTopic */
export function checkTopic({ type, topic }: EventDefinition, declared: readonly string[] | undefined): void {
  if (declared !== undefined && !declared.includes(topic)) throw new UndeclaredTopic(type, topic);
}

/** Publishes in the caller's transaction: what commits is sent, what rolls back is never sent. */
export class Outbox {
  constructor(private readonly limits: OutboxLimits) {}

  /**
   * Writes one event or several, in order. They are sent after the transaction commits, and only then.
   * Holds a lock on every key until the transaction ends, so that events of one key are sent in commit order.
   * The locks of one call are sorted. Two transactions that call it several times with the same keys in another
   * order can still deadlock; PostgreSQL then ends one of them, and a handler is simply called again.
   * @throws PublishOutsideTransaction, UndeclaredTopic, InvalidEvent, TooManyEvents, MessageTooLarge; nothing is then written
   */
  async publish<Definition extends EventDefinition>(
    tx: EntityManager,
    definition: Definition,
    events: EventOf<Definition> | readonly EventOf<Definition>[],
    options: PublishOptions = {},
  ): Promise<void> {
    if (tx.queryRunner?.isTransactionActive !== true) throw new PublishOutsideTransaction(definition.type);
    checkTopic(definition, this.limits.topics);
    const list = (Array.isArray(events) ? events : [events]) as readonly unknown[];
    if (list.length === 0) return;
    if (list.length > this.limits.maxEvents) {
      throw new TooManyEvents(definition.type, list.length, this.limits.maxEvents);
    }
    const messages = list.map((event, index) => {
      const envelope = envelop(definition, event, options.traceparents?.[index]);
      const { topic, key, id, traceparent, payload } = envelope;
      checkSize(topic, key, payload, this.limits.maxMessageBytes);
      return `{"key":${JSON.stringify(key)},"id":"${id}","traceparent":"${traceparent}","payload":${payload}}`;
    });
    await tx.query(PUBLISH, [definition.topic, definition.type, `[${messages.join(',')}]`]);
    leave(tx, 'outbox');
  }
}

/** @throws MessageTooLarge. The exact length is counted only when the worst case, three bytes a character, is over. */
export function checkSize(topic: string, key: string, json: string, limit: number): void {
  if (json.length * 3 <= limit) return;
  const bytes = Buffer.byteLength(json);
  if (bytes > limit) throw new MessageTooLarge(topic, key, bytes, limit);
}
