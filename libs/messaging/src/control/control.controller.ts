import { Controller, type Type } from '@nestjs/common';
import { DeadLetters } from '../dead-letter/dead-letters.js';
import type { ReplyOf, RequestOf } from '../message/define-request.js';
import { HandleRequest } from '../nest/handle.js';
import { MessagingMonitor } from './messaging-monitor.js';
import {
  discardDeadLetter,
  getQueueState,
  listDeadLetters,
  pauseSubscription,
  type QueueState,
  replayDeadLetter,
  resumeSubscription,
} from './requests.js';

type State = ReturnType<typeof getQueueState>;
type List = ReturnType<typeof listDeadLetters>;
type Pause = ReturnType<typeof pauseSubscription>;
type Resume = ReturnType<typeof resumeSubscription>;
type Replay = ReturnType<typeof replayDeadLetter>;
type Discard = ReturnType<typeof discardDeadLetter>;

/** Answers an operator's questions about one service's messages, and does what the operator decides. */
export function controlOf(service: string): Type {
  @Controller()
  class MessagingControl {
    constructor(
      private readonly monitor: MessagingMonitor,
      private readonly deadLetters: DeadLetters,
    ) {}

    @HandleRequest(getQueueState(service))
    state({ order }: RequestOf<State>): Promise<QueueState> {
      return this.monitor.state(order);
    }

    @HandleRequest(pauseSubscription(service))
    async pause({ subscription, by, reason }: RequestOf<Pause>): Promise<ReplyOf<Pause>> {
      return { done: await this.monitor.pause(subscription, by, reason) };
    }

    @HandleRequest(resumeSubscription(service))
    async resume({ subscription }: RequestOf<Resume>): Promise<ReplyOf<Resume>> {
      return { done: await this.monitor.resume(subscription) };
    }

    @HandleRequest(listDeadLetters(service))
    async list({ limit, ...filter }: RequestOf<List>): Promise<ReplyOf<List>> {
      return { deadLetters: await this.deadLetters.list(limit, filter) };
    }

    @HandleRequest(replayDeadLetter(service))
    async replay({ id, by }: RequestOf<Replay>): Promise<ReplyOf<Replay>> {
      return { done: await this.deadLetters.replay(id, by) };
    }

    @HandleRequest(discardDeadLetter(service))
    async discard({ id, by, reason }: RequestOf<Discard>): Promise<ReplyOf<Discard>> {
      return { done: await this.deadLetters.discard(id, by, reason) };
    }
  }
  return MessagingControl;
}
