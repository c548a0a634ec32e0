import { Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AUDITED, type Audited, BlockBuyer, BuyerId, getFacts, GetStatistics } from '#contracts';
import {
  getQueueState,
  listDeadLetters,
  type ReplyOf,
  RequestClient,
  type RequestDefinition,
  type RequestOf,
  ServiceUnavailable,
  type SubscriptionState,
} from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { ZodBody, ZodQuery } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';
import { type Invariant, invariantsOf, Outside } from './invariants.js';

const Block = z.object({ buyerId: BuyerId, reason: z.string().min(1).max(200) });
const Limit = z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) });
const Window = z.object({ minutes: z.coerce.number().int().min(1).max(1_440).default(60) });

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
    const [facts, queues, outside] = await Promise.all([
      this.askAll(getFacts),
      this.askAll(getQueueState),
      this.outside(),
    ]);
    const subscriptions = Object.values(queues).flatMap(each => each.subscriptions);
    const invariants = invariantsOf(facts, subscriptions, outside);
    const settled =
      outside.callbacksWaiting === 0 &&
      Object.values(queues).every(({ outbox }) => outbox === 0) &&
      subscriptions.every(({ lag }) => lag === 0);
    const clean = invariants.every(each => each.holds);
    return { clean, settled, computedAt: new Date().toISOString(), invariants };
  }

  /** Every subscription: what it has done, what it has to do, since when, and who has it. */
  @Get('messaging/subscriptions')
  async subscriptions(): Promise<{ subscriptions: SubscriptionState[] }> {
    const queues = await this.askAll(getQueueState);
    return { subscriptions: Object.values(queues).flatMap(each => each.subscriptions) };
  }

  /** Messages set aside because no retry can mend them, with everything they came with. */
  @Get('messaging/dead-letters')
  async deadLetters(
    @ZodQuery(Limit) { limit }: z.output<typeof Limit>,
  ): Promise<ReplyOf<ReturnType<typeof listDeadLetters>>> {
    const ask = (service: Audited) =>
      this.requests.ask(listDeadLetters(service), { limit }, { repeatable: true });
    const lists = await Promise.all(AUDITED.map(ask));
    const deadLetters = lists.flatMap(list => list.deadLetters);
    deadLetters.sort((a, b) => b.deadAt.localeCompare(a.deadAt));
    return { deadLetters: deadLetters.slice(0, limit) };
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

  /** The same question to every service that keeps books. */
  private async askAll<D extends RequestDefinition>(
    question: (service: Audited) => D,
  ): Promise<Record<Audited, ReplyOf<D>>> {
    const options = { repeatable: true, deadlineMs: 30_000 };
    const ask = async (service: Audited) =>
      [service, await this.requests.ask(question(service), {} as RequestOf<D>, options)] as const;
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
