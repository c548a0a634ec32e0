import { Controller, Get, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  type CampaignView,
  CreateCampaign,
  type Decision,
  GetCampaign,
  GetProduct,
  Instant,
  ListCampaigns,
  Price,
  Quantity,
  Sku,
} from '#contracts';
import { currentTraceparent, DomainError, type ReplyOf, uuidv7 } from '#messaging';
import { RequestClient } from '#requests';
import { Problems } from '../problems/document-problems.js';
import { AnyCaseId, ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access, CurrentSession, type Session } from '../sessions/access.js';
import { Clicks } from './clicks.js';

const NewCampaign = z.object({
  sku: Sku,
  stock: Quantity,
  perUserLimit: Quantity,
  priceMinor: Price,
  startsAt: Instant,
  endsAt: Instant,
  mode: z.enum(['async']).default('async'),
  paymentWindow: z
    .int()
    .min(1)
    .max(7 * 86_400)
    .default(900),
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
  ) {}

  /** Opens a flash sale of a product in the catalog. */
  @Post()
  @Problems('product_not_found', 'invalid_campaign')
  @Access('operator')
  async create(@ZodBody(NewCampaign) body: z.output<typeof NewCampaign>): Promise<{ campaignId: string }> {
    const { currency } = await this.requests.ask(GetProduct, { sku: body.sku }, { repeatable: true });
    const campaignId = uuidv7();
    await this.requests.ask(CreateCampaign, { ...body, campaignId, currency }, { repeatable: true });
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
  )
  @Access('shopper')
  async order(
    @ZodParam('id', AnyCaseId) campaignId: string,
    @ZodBody(Order) { quantity }: z.output<typeof Order>,
    @CurrentSession() { userId: buyerId }: Session,
  ): Promise<Reserved> {
    const [reservationId, orderId] = [uuidv7(), uuidv7()];
    const traceparent = currentTraceparent();
    const decision = await this.clicks.decide(campaignId, {
      reservationId,
      orderId,
      buyerId,
      quantity,
      traceparent,
    });
    if (decision !== 'reserved') throw new ClickRefused(decision, campaignId);
    return { reservationId, orderId, status: 'reserved' };
  }
}
