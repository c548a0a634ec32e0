import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AUDITED, type Audited, BlockBuyer, BuyerId, getFacts, GetStatistics } from '#contracts';
import {
  discardDeadLetter,
  DomainError,
  getQueueState,
  listDeadLetters,
  pauseSubscription,
  type QueueState,
  replayDeadLetter,
  type ReplyOf,
  RequestClient,
  resumeSubscription,
  type RequestDefinition,
  type RequestOf,
  ServiceUnavailable,
  type SubscriptionState,
} from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access, CurrentSession, type Session } from '../sessions/access.js';
import { type Invariant, invariantsOf, Outside } from './invariants.js';

const Block = z.object({ buyerId: BuyerId, reason: z.string().min(1).max(200) });
const DeadLetterQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  status: z.enum(['dead', 'replayed', 'discarded']).default('dead'),
  subscription: z.string().max(200).optional(),
});
const Discard = z.object({ reason: z.string().min(1).max(500) });
const Window = z.object({ minutes: z.coerce.number().int().min(1).max(1_440).default(60) });

const SubscriptionName = z.string().max(200);
const Pause = z.object({ reason: z.string().max(500).default('') });

export class SubscriptionNotFound extends DomainError {
  readonly code = 'subscription_not_found';
  constructor(readonly subscription: string) {
    super(`there is no subscription ${subscription}; GET /api/admin/messaging/subscriptions lists them`);
  }
}

export class DeadLetterNotFound extends DomainError {
  readonly code = 'dead_letter_not_found';
  constructor(readonly id: string) {
    super(
      `there is no dead letter ${id} that is still undecided; GET /api/admin/messaging/dead-letters lists them`,
    );
  }
}

/** How long the outside world may take to say what it has seen, in ms. */
const OUTSIDE_MS = 10_000;

interface Audit {
  /** Every invariant holds. */
  readonly clean: boolean;
  /** Nothing is on its way: while something is, an invariant may not hold yet. */
  readonly settled: boolean;
  readonly computedAt: string;
  readonly invariants: readonly Invariant[];
}

@ApiTags('admin')
@Controller('api/admin')
@Access('operator')
export class AdminController {
  constructor(
    private readonly requests: RequestClient,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** The invariants, computed now, each with its figures. */
  @Get('audit')
  async audit(): Promise<Audit> {
    // The services answer one after the other: only when nothing moved meanwhile do their answers belong together.
    const before = await this.askAll(getQueueState, { order: false });
    const [facts, outside] = await Promise.all([this.askAll(getFacts, {}), this.outside()]);
    const queues = await this.askAll(getQueueState, { order: true });
    const subscriptions = subscriptionsOf(queues);
    const invariants = invariantsOf(facts, subscriptions, outside);
    const settled =
      outside.callbacksWaiting === 0 &&
      isQuiet(before) &&
      isQuiet(queues) &&
      totalAppended(before) === totalAppended(queues);
    const clean = invariants.every(each => each.holds);
    return { clean, settled, computedAt: new Date().toISOString(), invariants };
  }

  /** Every subscription: what it has done, what it has to do, since when, and who has it. */
  @Get('messaging/subscriptions')
  async subscriptions(): Promise<{ subscriptions: SubscriptionState[] }> {
    return { subscriptions: subscriptionsOf(await this.askAll(getQueueState, { order: false })) };
  }

  /** Stops a subscription for all its instances, across restarts too, until it is resumed. */
  @Post('messaging/subscriptions/:name/pause')
  @HttpCode(200)
  async pause(
    @ZodParam('name', SubscriptionName) name: string,
    @ZodBody(Pause) { reason }: z.output<typeof Pause>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ name: string; state: 'paused' }> {
    const service = serviceOf(name);
    const { done } = await this.requests.ask(
      pauseSubscription(service),
      { subscription: name, by, reason },
      { repeatable: true },
    );
    if (!done) throw new SubscriptionNotFound(name);
    return { name, state: 'paused' };
  }

  @Post('messaging/subscriptions/:name/resume')
  @HttpCode(200)
  async resume(
    @ZodParam('name', SubscriptionName) name: string,
  ): Promise<{ name: string; state: 'running' }> {
    const request = resumeSubscription(serviceOf(name));
    const { done } = await this.requests.ask(request, { subscription: name }, { repeatable: true });
    if (!done) throw new SubscriptionNotFound(name);
    return { name, state: 'running' };
  }

  /** Messages given up, with everything they came with and every attempt's error; those undecided if not asked otherwise. */
  @Get('messaging/dead-letters')
  async deadLetters(
    @ZodQuery(DeadLetterQuery) query: z.output<typeof DeadLetterQuery>,
  ): Promise<ReplyOf<ReturnType<typeof listDeadLetters>>> {
    const ask = (service: Audited) =>
      this.requests.ask(listDeadLetters(service), query, { repeatable: true });
    const lists = await Promise.all(AUDITED.map(ask));
    const deadLetters = lists.flatMap(list => list.deadLetters);
    deadLetters.sort((a, b) => b.deadAt.localeCompare(a.deadAt));
    return { deadLetters: deadLetters.slice(0, query.limit) };
  }

  /** Puts a dead letter back at its place in its key, to be handled again. */
  @Post('messaging/dead-letters/:id/replay')
  @HttpCode(200)
  async replay(
    @ZodParam('id', z.uuid()) id: string,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ id: string; status: 'replayed' }> {
    await this.decide(id, service => this.requests.ask(replayDeadLetter(service), { id, by }));
    return { id, status: 'replayed' };
  }

  /** Gives a dead letter up for good. It is kept, with who decided it and why. */
  @Post('messaging/dead-letters/:id/discard')
  @HttpCode(200)
  async discard(
    @ZodParam('id', z.uuid()) id: string,
    @ZodBody(Discard) { reason }: z.output<typeof Discard>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ id: string; status: 'discarded' }> {
    await this.decide(id, service => this.requests.ask(discardDeadLetter(service), { id, by, reason }));
    return { id, status: 'discarded' };
  }

  /** The funnel, and the sales of the last minutes. */
  @Get('statistics')
  statistics(@ZodQuery(Window) { minutes }: z.output<typeof Window>): Promise<ReplyOf<typeof GetStatistics>> {
    return this.requests.ask(GetStatistics, { minutes }, { repeatable: true });
  }

  /** Bars a buyer from flash sales. */
  @Post('blocked-buyers')
  block(@ZodBody(Block) body: z.output<typeof Block>): Promise<ReplyOf<typeof BlockBuyer>> {
    return this.requests.ask(BlockBuyer, body, { repeatable: true });
  }

  /** Whichever service has the letter decides on it. @throws DeadLetterNotFound */
  private async decide(id: string, ask: (service: Audited) => Promise<{ done: boolean }>): Promise<void> {
    const answers = await Promise.allSettled(AUDITED.map(ask));
    if (answers.some(answer => answer.status === 'fulfilled' && answer.value.done)) return;
    // A service that did not answer may be the one that has it.
    const silent = answers.find(answer => answer.status === 'rejected');
    throw silent === undefined ? new DeadLetterNotFound(id) : silent.reason;
  }

  /** The same question to every service that keeps books. */
  private async askAll<D extends RequestDefinition>(
    question: (service: Audited) => D,
    data: RequestOf<D>,
  ): Promise<Record<Audited, ReplyOf<D>>> {
    const options = { repeatable: true, deadlineMs: 30_000 };
    const ask = async (service: Audited) =>
      [service, await this.requests.ask(question(service), data, options)] as const;
    return Object.fromEntries(await Promise.all(AUDITED.map(ask))) as Record<Audited, ReplyOf<D>>;
  }

  private async outside(): Promise<Outside> {
    try {
      const response = await fetch(`${this.config.SANDBOX_URL}/summary`, {
        signal: AbortSignal.timeout(OUTSIDE_MS),
      });
      return Outside.parse(await response.json());
    } catch (error) {
      throw new ServiceUnavailable('sandbox', error instanceof Error ? error.message : String(error));
    }
  }
}

function subscriptionsOf(queues: Readonly<Record<Audited, QueueState>>): SubscriptionState[] {
  return Object.values(queues).flatMap(({ subscriptions }) => subscriptions);
}

/** A subscription is named after its service. @throws SubscriptionNotFound */
function serviceOf(subscription: string): Audited {
  const service = AUDITED.find(each => subscription.startsWith(`${each}.`));
  if (service === undefined) throw new SubscriptionNotFound(subscription);
  return service;
}

function isQuiet(queues: Readonly<Record<Audited, QueueState>>): boolean {
  return (
    Object.values(queues).every(({ outbox }) => outbox === 0) &&
    subscriptionsOf(queues).every(({ lag, parked }) => lag === 0 && parked === 0)
  );
}

function totalAppended(queues: Readonly<Record<Audited, QueueState>>): number {
  return subscriptionsOf(queues).reduce((total, { appended }) => total + appended, 0);
}
