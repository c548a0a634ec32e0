import { Controller, Get, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  CampaignMode,
  BucketCapacity,
  type CampaignView,
  type Click,
  CreateCampaign,
  type Decision,
  GetCampaign,
  GetProduct,
  Instant,
  ListCampaigns,
  Price,
  Quantity,
  Sku,
  TokenRate,
} from '#contracts';
import { Admission, Admit, currentTraceparent, DomainError, type ReplyOf } from '#messaging';
import { RequestClient } from '#requests';
import { Problems } from '../problems/document-problems.js';
import { AnyCaseId, ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access, CurrentSession, type Session } from '../sessions/access.js';
import { CallIds, type NewIds } from '../idempotency/new-ids.js';
import { Idempotent } from '../idempotency/idempotent.js';
import { CampaignModes } from './campaign-modes.js';
import { Clicks } from './clicks.js';
import { FiveSteps } from './naive/five-steps.js';
import { QueuedClicks } from './queued-clicks.js';
import { SoldOutCampaigns } from './sold-out.js';

const NewCampaign = z.object({
  sku: Sku,
  stock: Quantity,
  perUserLimit: Quantity,
  priceMinor: Price,
  startsAt: Instant,
  endsAt: Instant,
  mode: CampaignMode.default('async'),
  paymentWindow: z
    .int()
    .min(1)
    .max(7 * 86_400)
    .default(900),
  ratePerSecond: TokenRate.optional(),
  capacity: BucketCapacity.optional(),
});
const Order = z.object({ quantity: Quantity.default(1) });
const Listing = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) });

const REASONS: Readonly<Record<Exclude<Decision, 'reserved'>, string>> = {
  sold_out: 'not enough stock is left; wait for a restock or lower the quantity',
  limit_reached: 'this would exceed the limit per buyer of this campaign',
  risk_rejected: 'the risk check refused this buyer; slow down, or contact the shop',
  ended: 'the campaign is over',
  not_started: 'the campaign has not started',
  unknown_campaign: 'there is no such campaign',
  expired: 'the click was not decided in time, and will not be; try again',
  busy: 'too many buyers are waiting; try again in a moment',
};

export class ClickRefused extends DomainError {
  readonly code: string;
  constructor(
    decision: Exclude<Decision, 'reserved'>,
    readonly campaignId: string,
  ) {
    super(REASONS[decision]);
    this.code = decision === 'unknown_campaign' ? 'campaign_not_found' : decision;
  }
}

interface Reserved {
  readonly reservationId: string;
  readonly orderId: string;
  readonly status: 'reserved';
}

@ApiTags('campaigns')
@Controller('api/campaigns')
export class CampaignsController {
  constructor(
    private readonly requests: RequestClient,
    private readonly clicks: Clicks,
    private readonly queued: QueuedClicks,
    private readonly naive: FiveSteps,
    private readonly modes: CampaignModes,
    private readonly soldOut: SoldOutCampaigns,
    private readonly admission: Admission,
  ) {}

  /** Opens a flash sale of a product in the catalog. */
  @Post()
  @Problems('product_not_found', 'invalid_campaign', 'lab_only')
  @Idempotent('seckill')
  @Access('operator')
  async create(
    @ZodBody(NewCampaign) body: z.output<typeof NewCampaign>,
    @CallIds() ids: NewIds,
  ): Promise<{ campaignId: string }> {
    if (body.mode === 'sync') this.naive.requireLab();
    const { currency } = await this.requests.ask(GetProduct, { sku: body.sku }, { repeatable: true });
    const campaignId = ids.next();
    await this.requests.ask(CreateCampaign, { ...body, campaignId, currency }, { repeatable: true });
    // Nobody knows the campaign yet, and this gateway knows its limit.
    if (body.ratePerSecond !== undefined) await this.admission.refresh();
    return { campaignId };
  }

  @Get()
  @Access('anyone')
  list(@ZodQuery(Listing) { limit }: z.output<typeof Listing>): Promise<ReplyOf<typeof ListCampaigns>> {
    return this.requests.ask(ListCampaigns, { limit }, { repeatable: true });
  }

  @Get(':id')
  @Problems('campaign_not_found')
  @Access('anyone')
  get(@ZodParam('id', AnyCaseId) campaignId: string): Promise<CampaignView> {
    return this.requests.ask(GetCampaign, { campaignId }, { repeatable: true });
  }

  /** Buys in a flash sale. A 201 means that the stock is reserved and that the order follows in a moment. */
  @Post(':id/orders')
  @Problems(
    'campaign_not_found',
    'sold_out',
    'limit_reached',
    'ended',
    'not_started',
    'risk_rejected',
    'busy',
    'expired',
    'lab_only',
    'too_many_requests',
  )
  @Idempotent('seckill')
  @Access('shopper')
  @Admit('campaign:{id}')
  async order(
    @ZodParam('id', AnyCaseId) campaignId: string,
    @ZodBody(Order) { quantity }: z.output<typeof Order>,
    @CurrentSession() { userId: buyerId }: Session,
    @CallIds() ids: NewIds,
  ): Promise<Reserved> {
    const [reservationId, orderId] = [ids.next(), ids.next()];
    const traceparent = currentTraceparent();
    const click = { reservationId, orderId, buyerId, quantity, traceparent };
    const decision = await this.decide(campaignId, click, ids.again);
    if (decision !== 'reserved') throw new ClickRefused(decision, campaignId);
    return { reservationId, orderId, status: 'reserved' };
  }

  private async decide(campaignId: string, click: Click, again: boolean): Promise<Decision> {
    // One that was asked before may have its stock already.
    if (!again && this.soldOut.has(campaignId)) return 'sold_out';
    const known = this.modes.of(campaignId);
    switch (typeof known === 'string' ? known : await known) {
      case 'queue':
        return this.queued.decide(campaignId, click);
      case 'sync': {
        const { reservationId, orderId, buyerId, quantity } = click;
        await this.naive.take({ reservationId, orderId, campaignId, buyerId, quantity });
        return 'reserved';
      }
      default:
        return this.clicks.decide(campaignId, click, again);
    }
  }
}
