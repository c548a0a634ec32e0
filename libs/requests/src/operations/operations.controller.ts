import { Controller, type Type } from '@nestjs/common';
import {
  AlertWatch,
  DeadLetters,
  MessagingMonitor,
  type QueueState,
  type ReplyOf,
  type RequestOf,
} from '#messaging';
import { HandleRequest } from '../handle-request.js';
import {
  decideOnDeadLetters,
  discardDeadLetter,
  getDeadLetter,
  getQueueState,
  listAlerts,
  listDeadLetters,
  listOperatorActions,
  pauseSubscription,
  replayDeadLetter,
  resumeSubscription,
} from './requests.js';

type State = ReturnType<typeof getQueueState>;
type List = ReturnType<typeof listDeadLetters>;
type Get = ReturnType<typeof getDeadLetter>;
type DecideAll = ReturnType<typeof decideOnDeadLetters>;
type Actions = ReturnType<typeof listOperatorActions>;
type Alerts = ReturnType<typeof listAlerts>;
type Pause = ReturnType<typeof pauseSubscription>;
type Resume = ReturnType<typeof resumeSubscription>;
type Replay = ReturnType<typeof replayDeadLetter>;
type Discard = ReturnType<typeof discardDeadLetter>;

/** Answers an operator's questions about one service's messages, and does what the operator decides. */
export function operationsOf(service: string): Type {
  @Controller()
  class OperationsController {
    constructor(
      private readonly monitor: MessagingMonitor,
      private readonly deadLetters: DeadLetters,
      private readonly alerts: AlertWatch,
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
    async resume({ subscription, by }: RequestOf<Resume>): Promise<ReplyOf<Resume>> {
      return { done: await this.monitor.resume(subscription, by) };
    }

    @HandleRequest(listDeadLetters(service))
    async list(query: RequestOf<List>): Promise<ReplyOf<List>> {
      return { deadLetters: await this.deadLetters.list(query) };
    }

    @HandleRequest(getDeadLetter(service))
    async get({ id }: RequestOf<Get>): Promise<ReplyOf<Get>> {
      return { deadLetter: await this.deadLetters.get(id) };
    }

    @HandleRequest(decideOnDeadLetters(service))
    decideAll(decision: RequestOf<DecideAll>): Promise<ReplyOf<DecideAll>> {
      return this.deadLetters.decideAll(decision);
    }

    @HandleRequest(listOperatorActions(service))
    async actions({ limit }: RequestOf<Actions>): Promise<ReplyOf<Actions>> {
      return { actions: await this.monitor.actions(limit) };
    }

    @HandleRequest(listAlerts(service))
    async listAlerts({ limit, openOnly }: RequestOf<Alerts>): Promise<ReplyOf<Alerts>> {
      return { alerts: await this.alerts.list(limit, openOnly) };
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
  return OperationsController;
}
