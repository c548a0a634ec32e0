import { Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { type Audited, BlockBuyer, BuyerId, getFacts, GetStatistics } from '#contracts';
import { type QueueState, type ReplyOf, type SubscriptionState } from '#messaging';
import { getQueueState, RequestClient, ServiceUnavailable } from '#requests';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { ZodBody, ZodQuery } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';
import { AuditedServices } from './audited-services.js';
import { type Invariant, invariantsOf, Outside } from './invariants.js';

const Block = z.object({ buyerId: BuyerId, reason: z.string().min(1).max(200) });
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
    private readonly services: AuditedServices,
    private readonly requests: RequestClient,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** The invariants, computed now, each with its figures. */
  @Get('audit')
  async audit(): Promise<Audit> {
    // The services answer one after the other: only when nothing moved meanwhile do their answers belong together.
    const before = await this.services.askAll(getQueueState, { order: false });
    const [facts, outside] = await Promise.all([this.services.askAll(getFacts, {}), this.outside()]);
    const queues = await this.services.askAll(getQueueState, { order: true });
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

function isQuiet(queues: Readonly<Record<Audited, QueueState>>): boolean {
  return (
    Object.values(queues).every(({ outbox }) => outbox === 0) &&
    subscriptionsOf(queues).every(({ lag, parked }) => lag === 0 && parked === 0)
  );
}

function totalAppended(queues: Readonly<Record<Audited, QueueState>>): number {
  return subscriptionsOf(queues).reduce((total, { appended }) => total + appended, 0);
}
