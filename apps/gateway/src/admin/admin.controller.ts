import { Controller, Get, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { BlockBuyer, BuyerId, getAuditReport, GetStatistics, Text } from '#contracts';
import type { QueueState, ReplyOf } from '#messaging';
import { getQueueState, RequestClient } from '#requests';
import { ZodBody, ZodQuery } from '../problems/zod-body.js';
import { type Answers, AllServices, type Unanswered } from '../services/all-services.js';
import { type KnownService, ServiceDirectory } from '../services/service-directory.js';
import { type NaiveCampaign, NaiveBooksReader } from '../campaigns/naive/naive-books.js';
import { Access } from '../sessions/access.js';
import { isQuiet, judgeAll, type Judged, judgeSubscription } from './invariants.js';

const Block = z.object({ buyerId: BuyerId, reason: Text.min(1).max(200) });
const Window = z.object({ minutes: z.coerce.number().int().min(1).max(1_440).default(60) });

/** How long a service may take to report, in ms: it reads every receipt, and millions take seconds. */
const AUDIT_MS = 30_000;

interface Audit extends Unanswered {
  /** Every invariant holds, and every service has answered. */
  readonly clean: boolean;
  /** Nothing is in flight. While something is, an invariant may not hold yet. */
  readonly settled: boolean;
  readonly computedAt: string;
  readonly invariants: readonly Judged[];
  /** Campaigns that sell the naive way, judged apart; only where the shop was started for experiments. */
  readonly naive?: readonly NaiveCampaign[];
}

@ApiTags('admin')
@Controller('api/admin')
@Access('operator')
export class AdminController {
  constructor(
    private readonly services: AllServices,
    private readonly directory: ServiceDirectory,
    private readonly requests: RequestClient,
    private readonly naiveBooks: NaiveBooksReader,
  ) {}

  /** The invariants that the services declare, computed now, each with its figures. */
  @Get('audit')
  async audit(): Promise<Audit> {
    // The services answer at different moments: their answers are consistent only if nothing moved meanwhile.
    const before = await this.services.ask(getQueueState, { order: false });
    // A service that is away is waited for once.
    const there = this.services.names.filter(name => !before.unanswered.includes(name));
    const told = await this.services.ask(getAuditReport, {}, AUDIT_MS, there);
    const after = await this.services.ask(getQueueState, { order: true }, AUDIT_MS, there);
    const reports = new Map(told.answers.map(({ service, reply }) => [service, reply]));
    const subscriptions = after.answers.flatMap(({ reply }) => reply.subscriptions);
    const invariants = [...judgeAll(reports), ...subscriptions.flatMap(judgeSubscription)];
    const silent = there.filter(
      name => this.directory.describe(name).hasFacts === true && !reports.has(name),
    );
    const unanswered = [
      ...new Set([...[before, told, after].flatMap(each => each.unanswered), ...silent]),
    ].sort();
    const settled =
      unanswered.length === 0 &&
      isQuiet(reports) &&
      areEmpty(before) &&
      areEmpty(after) &&
      totalAppended(before) === totalAppended(after);
    const clean = unanswered.length === 0 && invariants.every(each => each.holds);
    const naive = await this.naiveBooks.read();
    const computedAt = new Date().toISOString();
    return { clean, settled, computedAt, unanswered, invariants, ...(naive && { naive }) };
  }

  /** Every known service, its addresses, and what it has announced. */
  @Get('services')
  known(): { services: KnownService[] } {
    return { services: this.directory.services.map(service => this.directory.describe(service)) };
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
}

/** No message is waiting to be sent or handled, and no timer to fire. */
function areEmpty({ answers }: Answers<QueueState>): boolean {
  return answers.every(
    ({ reply: { outbox, timersDue, subscriptions } }) =>
      outbox === 0 && timersDue === 0 && subscriptions.every(({ lag, parked }) => lag === 0 && parked === 0),
  );
}

function totalAppended({ answers }: Answers<QueueState>): number {
  return answers
    .flatMap(({ reply }) => reply.subscriptions)
    .reduce((total, { appended }) => total + appended, 0);
}
