import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { type Alert, DomainError, type OperatorAction, type SubscriptionState, Text } from '#messaging';
import {
  getQueueState,
  listAlerts,
  listOperatorActions,
  pauseSubscription,
  resumeSubscription,
} from '#requests';
import { AllServices, type Unanswered } from '../services/all-services.js';
import { Problems } from '../problems/document-problems.js';
import { ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access, CurrentSession, type Session } from '../sessions/access.js';

const SubscriptionName = Text.max(200);
const Pause = z.object({ reason: Text.max(500).default('') });
const Limit = z.coerce.number().int().min(1).max(500).default(100);
const ActionsQuery = z.strictObject({ limit: Limit });
const AlertsQuery = z.strictObject({ limit: Limit, open: z.stringbool().default(false) });

export class SubscriptionNotFound extends DomainError {
  readonly code = 'subscription_not_found';
  constructor(readonly subscription: string) {
    super(
      `there is no pausable subscription ${subscription}; GET /api/admin/messaging/subscriptions lists them`,
    );
  }
}

/** The shop's subscriptions: their state, the commands that operators give them, and who gave which. */
@ApiTags('admin')
@Controller('api/admin/messaging')
@Access('operator')
export class SubscriptionsController {
  constructor(private readonly services: AllServices) {}

  /** Every subscription: its progress, its backlog and how old that is, what it waits for, and its owners. */
  @Get('subscriptions')
  async subscriptions(): Promise<{ subscriptions: SubscriptionState[] } & Unanswered> {
    const { answers, unanswered } = await this.services.ask(getQueueState, { order: false });
    return { subscriptions: answers.flatMap(({ reply }) => reply.subscriptions), unanswered };
  }

  /** Stops a subscription for all its instances, across restarts too, until it is resumed. */
  @Post('subscriptions/:name/pause')
  @Problems('subscription_not_found')
  @HttpCode(200)
  async pause(
    @ZodParam('name', SubscriptionName) name: string,
    @ZodBody(Pause) { reason }: z.output<typeof Pause>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ name: string; state: 'paused' }> {
    const request = pauseSubscription(this.ownerOf(name));
    const { done } = await this.services.askOne(request, { subscription: name, by, reason });
    if (!done) throw new SubscriptionNotFound(name);
    return { name, state: 'paused' };
  }

  @Post('subscriptions/:name/resume')
  @Problems('subscription_not_found')
  @HttpCode(200)
  async resume(
    @ZodParam('name', SubscriptionName) name: string,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ name: string; state: 'running' }> {
    const { done } = await this.services.askOne(resumeSubscription(this.ownerOf(name)), {
      subscription: name,
      by,
    });
    if (!done) throw new SubscriptionNotFound(name);
    return { name, state: 'running' };
  }

  /** Alerts about backlogs, outages and dead letters, newest first; `open=true` for the open ones. */
  @Get('alerts')
  async alerts(
    @ZodQuery(AlertsQuery) { limit, open }: z.output<typeof AlertsQuery>,
  ): Promise<{ alerts: Alert[] } & Unanswered> {
    const { answers, unanswered } = await this.services.ask(listAlerts, { limit, openOnly: open });
    const alerts = answers.flatMap(({ reply }) => reply.alerts);
    alerts.sort((a, b) => b.raisedAt.localeCompare(a.raisedAt));
    return { alerts: alerts.slice(0, limit), unanswered };
  }

  /** What operators did, newest first. */
  @Get('actions')
  async actions(
    @ZodQuery(ActionsQuery) { limit }: z.output<typeof ActionsQuery>,
  ): Promise<{ actions: OperatorAction[] } & Unanswered> {
    const { answers, unanswered } = await this.services.ask(listOperatorActions, { limit });
    const actions = answers.flatMap(({ reply }) => reply.actions);
    actions.sort((a, b) => b.at.localeCompare(a.at));
    return { actions: actions.slice(0, limit), unanswered };
  }

  /** @throws SubscriptionNotFound */
  private ownerOf(subscription: string): string {
    const service = this.services.ownerOf(subscription);
    if (service === undefined) throw new SubscriptionNotFound(subscription);
    return service;
  }
}
