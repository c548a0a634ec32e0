import { BaseRpcContext } from '@nestjs/microservices';
import type { EntityManager } from 'typeorm';
import type { Delivery } from '../consumer/subscription.js';
import type { ReceivedMessage } from '../message/received-message.js';

/** What Nest's guards, interceptors and filters see of a delivery: `context.switchToRpc().getContext()`. */
export class MessageContext extends BaseRpcContext<[Delivery]> {
  constructor(
    readonly subscription: string,
    delivery: Delivery,
  ) {
    super([delivery]);
  }

  /** The transaction of the delivery; absent for a broadcast. */
  get tx(): EntityManager | undefined {
    return this.args[0].tx;
  }

  /** The messages, one for each event, with their headers and positions. */
  get messages(): readonly ReceivedMessage[] {
    return this.args[0].messages;
  }
}
