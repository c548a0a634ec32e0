import { Controller, type Type } from '@nestjs/common';
import type { RequestOf } from '../message/define-request.js';
import { HandleRequest } from '../nest/handle.js';
import { MessagingMonitor } from './messaging-monitor.js';
import { type DeadLetter, getQueueState, listDeadLetters, type QueueState } from './requests.js';

/** Answers an operator's questions about one service's messages. */
export function controlOf(service: string): Type {
  @Controller()
  class MessagingControl {
    constructor(private readonly monitor: MessagingMonitor) {}

    @HandleRequest(getQueueState(service))
    state(): Promise<QueueState> {
      return this.monitor.state();
    }

    @HandleRequest(listDeadLetters(service))
    async deadLetters({
      limit,
    }: RequestOf<ReturnType<typeof listDeadLetters>>): Promise<{ deadLetters: DeadLetter[] }> {
      return { deadLetters: await this.monitor.deadLetters(limit) };
    }
  }
  return MessagingControl;
}
