import { Inject, Injectable } from '@nestjs/common';
import { getNaiveBooks, NAIVE_STEPS, type NaiveBooks } from '#contracts';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../../gateway.config.js';
import { AllServices } from '../../services/all-services.js';

/** What each service has of one naive campaign: if nothing was lost between two steps, all have the same. */
export interface NaiveCampaign {
  readonly campaignId: string;
  readonly holds: boolean;
  /** Orders, by service, in the order of the steps; null where the service did not answer. */
  readonly orders: Readonly<Record<string, number | null>>;
  readonly units: Readonly<Record<string, number | null>>;
}

type Books = ReadonlyMap<string, NaiveBooks['campaigns']>;

/** Compares the books of naive campaigns, apart from those of the shop. */
@Injectable()
export class NaiveBooksReader {
  constructor(
    private readonly services: AllServices,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** Undefined where the shop was not started for experiments. */
  async read(): Promise<NaiveCampaign[] | undefined> {
    if (this.config.SLUICE_LAB === 'off') return undefined;
    const { answers } = await this.services.ask(getNaiveBooks, {}, undefined, NAIVE_STEPS);
    return compareBooks(new Map(answers.map(({ service, reply }) => [service, reply.campaigns])));
  }
}

/** Pure. */
export function compareBooks(books: Books): NaiveCampaign[] {
  const ids = new Set([...books.values()].flatMap(each => each.map(({ campaignId }) => campaignId)));
  return [...ids].sort().map(campaignId => {
    const figures = (name: 'orders' | 'units') =>
      Object.fromEntries(
        NAIVE_STEPS.map(service => {
          const told = books.get(service);
          const own = told?.find(each => each.campaignId === campaignId);
          return [service, told === undefined ? null : (own?.[name] ?? 0)];
        }),
      );
    const [orders, units] = [figures('orders'), figures('units')];
    const agree = (each: Readonly<Record<string, number | null>>) =>
      new Set(Object.values(each)).size === 1 && !Object.values(each).includes(null);
    return { campaignId, holds: agree(orders) && agree(units), orders, units };
  });
}
