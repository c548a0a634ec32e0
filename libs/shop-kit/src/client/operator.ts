import { z } from 'zod';
import { type Audit, audit, settledAudit } from './audit.js';
import { aCampaign, type NewCampaign, type Product } from './builders.js';
import { CallFailed, type Method, type ShopHttp } from './http.js';
import { until } from './until.js';

const Subscription = z.object({
  name: z.string(),
  /** Messages still to settle. */
  lag: z.int(),
  handled: z.int(),
  duplicate: z.int(),
  parked: z.int(),
  dead: z.int(),
  paused: z.object({ reason: z.string() }).nullable(),
  waiting: z.object({ reason: z.string() }).nullable(),
  /** The instances that own its partitions. */
  owners: z.array(z.string()),
});
export type Subscription = z.output<typeof Subscription>;

const DeadLetter = z.object({
  id: z.string(),
  subscription: z.string(),
  key: z.string(),
  reason: z.string(),
  errors: z.array(z.object({ error: z.string() })),
});
export type DeadLetter = z.output<typeof DeadLetter>;

const Publication = z.object({
  status: z.string(),
  published: z.int(),
  rejected: z.int(),
});

const ENDED = ['published', 'broken', 'cancelled'];

/** What an operator of the shop does: the catalog, campaigns, the queue, the audit. */
export class Operator {
  constructor(private readonly shop: ShopHttp) {}

  /**
   * Publishes products, and resolves when they are for sale.
   * @returns their SKUs, in order
   * @throws Error when a product is rejected or the publication fails
   */
  async publish(products: readonly Product[], store = 'kit'): Promise<string[]> {
    const path = `/api/publications?store=${store}`;
    const answer = await this.shop.call('POST', path, {
      body: products.map(product => JSON.stringify(product)).join('\n'),
      token: await this.shop.asOperator(),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    if (answer.status !== 202) throw new CallFailed('POST', path, answer);
    const { publicationId } = z.object({ publicationId: z.string() }).parse(answer.body);
    const ended = await until(
      `publication ${publicationId} to end`,
      async () => Publication.parse(await this.call('GET', `/api/publications/${publicationId}`)),
      ({ status }) => ENDED.includes(status),
      this.shop.patienceMs,
    );
    if (ended.status !== 'published' || ended.rejected > 0)
      throw new Error(`publication ${publicationId}: ${JSON.stringify(ended)}`);
    return products.map(({ code }) => `${store}.${code}`);
  }

  /** Opens a flash sale. @returns its id */
  async openCampaign(campaign: Partial<NewCampaign> = {}): Promise<string> {
    // A lost answer may open it twice, which does no harm: no shopper knows of the first one.
    const opened = await this.call('POST', '/api/campaigns', aCampaign(campaign));
    return z.object({ campaignId: z.uuid() }).parse(opened).campaignId;
  }

  /**
   * The subscription, once it fits. One whose service does not answer at the moment is looked for again.
   * @throws NotInTime with its last state
   */
  async untilSubscription(name: string, fits: (state: Subscription) => boolean): Promise<Subscription> {
    const found = await until(
      `${name} to get there`,
      async () => {
        const answer = await this.call('GET', '/api/admin/messaging/subscriptions');
        const { subscriptions } = z.object({ subscriptions: z.array(Subscription) }).parse(answer);
        return subscriptions.find(each => each.name === name);
      },
      state => state !== undefined && fits(state),
      this.shop.patienceMs,
    );
    return found!;
  }

  /** For all instances, and across restarts. */
  async pause(subscription: string, reason: string): Promise<void> {
    await this.call('POST', `/api/admin/messaging/subscriptions/${subscription}/pause`, { reason });
  }

  async resume(subscription: string): Promise<void> {
    await this.call('POST', `/api/admin/messaging/subscriptions/${subscription}/resume`);
  }

  /** Of one subscription, those that nobody has decided on. */
  async deadLetters(subscription: string): Promise<DeadLetter[]> {
    const query = new URLSearchParams({ status: 'dead', subscription });
    const answer = await this.call('GET', `/api/admin/messaging/dead-letters?${query}`);
    return z.object({ deadLetters: z.array(DeadLetter) }).parse(answer).deadLetters;
  }

  /** Puts a dead letter back at its place. */
  async replay(deadLetterId: string): Promise<void> {
    await this.call('POST', `/api/admin/messaging/dead-letters/${deadLetterId}/replay`);
  }

  /** Every invariant, computed now. */
  async audit(): Promise<Audit> {
    return audit(this.shop);
  }

  /** The audit once nothing is on its way any more; as it is, when it makes no progress. */
  async untilSettled(): Promise<Audit> {
    return settledAudit(this.shop);
  }

  private async call(method: Method, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.shop.callPatiently(method, path, { body, token: await this.shop.asOperator() });
    if (answer.status >= 300) throw new CallFailed(method, path, answer);
    return answer.body;
  }
}
