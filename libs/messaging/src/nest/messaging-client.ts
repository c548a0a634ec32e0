import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy, type ReadPacket } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import type { EventDefinition, EventOf } from '../message/define-event.js';
import { envelop, toWire, type WireMessage } from '../message/envelope.js';
import { checkSize, checkTopic } from '../publisher/outbox.js';
import type { Transport } from '../transport/transport.js';
import { Batcher } from '../runtime/batcher.js';
import { MESSAGE_TRANSPORT, MESSAGING_OPTIONS, type MessagingOptions } from './options.js';

/** Most events that may wait for the queue. */
export const DEFAULT_CLIENT_WAITING = 10_000;

/** Too many events wait for the queue: no more are accepted. */
export class TooManyWaiting extends Error {
  readonly code = 'too_many_waiting';
  constructor(
    readonly type: string,
    readonly limit: number,
  ) {
    super(
      `${type} was not sent: ${limit} events already wait for the queue; send it again later, or drop it`,
    );
  }
}

/**
 * Publishes straight to the transport, for a service with no database: `client.emit(ProductViewed, event)`,
 * or `emitEvent` for the same as a typed promise. The event is durable when that resolves. It is not tied to
 * any transaction; a service with a database uses the Outbox.
 */
@Injectable()
export class MessagingClient extends ClientProxy {
  private readonly sending: Batcher<WireMessage, void>;

  constructor(
    @Inject(MESSAGE_TRANSPORT) private readonly transport: Transport,
    @Inject(MESSAGING_OPTIONS) private readonly options: MessagingOptions,
  ) {
    super();
    const send = async (messages: readonly WireMessage[]) => {
      await transport.publish(messages);
      return messages.map(() => undefined);
    };
    this.sending = new Batcher(send, { maxItems: DEFAULT_CLIENT_WAITING, oneAtATime: false });
  }

  /**
   * Sends one event. Events of the same moment are sent together.
   * @throws UndeclaredTopic, InvalidEvent, MessageTooLarge, TooManyWaiting, or the transport's error; the event is then not sent
   */
  async emitEvent<D extends EventDefinition>(definition: D, event: EventOf<D>): Promise<void> {
    await firstValueFrom(this.emit(definition, event), { defaultValue: undefined });
  }

  async connect(): Promise<void> {}

  async close(): Promise<void> {
    await this.sending.settled();
  }

  unwrap<T>(): T {
    return this.transport as T;
  }

  protected override async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    const definition = packet.pattern as EventDefinition;
    const limit = DEFAULT_CLIENT_WAITING;
    if (this.sending.size >= limit) throw new TooManyWaiting(definition.type, limit);
    // What the queue would refuse must not fail those that are sent with it.
    checkTopic(definition, this.options.topics);
    const { key, topic, payload, ...envelope } = envelop(definition, packet.data);
    checkSize(topic, key, payload, this.transport.capabilities.maxMessageBytes);
    await this.sending.add(toWire({ key, topic, payload, ...envelope }, this.options.service));
    return undefined as T;
  }

  protected override publish(): never {
    throw new Error('a queue has no replies; ask with RequestClient');
  }
}
