import { Inject, Injectable } from '@nestjs/common';
import { NaiveCheckRisk, NaiveCount, NaiveSendText, NaiveTakeStock, NaiveWriteOrder } from '#contracts';
import { DomainError } from '#messaging';
import { RequestClient } from '#requests';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../../gateway.config.js';

export class LabOnly extends DomainError {
  readonly code = 'lab_only';
  constructor() {
    super('campaigns of mode sync are for experiments; start the shop with npm start -- --lab');
  }
}

export interface NaiveClick {
  readonly reservationId: string;
  readonly orderId: string;
  readonly campaignId: string;
  readonly buyerId: string;
  readonly quantity: number;
}

/**
 * The naive way, to compare with: risk, stock, order, text message and statistics one after the other, while the buyer
 * waits. Every click takes the time of all five, and fails when any of the five services does. What ends between two
 * steps leaves the later ones undone; nothing comes back to them.
 */
@Injectable()
export class FiveSteps {
  constructor(
    private readonly requests: RequestClient,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** @throws LabOnly where the shop was not started for experiments */
  requireLab(): void {
    if (this.config.SLUICE_LAB === 'off') throw new LabOnly();
  }

  // #region five-steps
  /** @throws RequestRefused, ServiceUnavailable: and then some of the steps may have been done */
  async take(click: NaiveClick): Promise<void> {
    this.requireLab();
    await this.requests.ask(NaiveCheckRisk, { buyerId: click.buyerId });
    const bought = await this.requests.ask(NaiveTakeStock, click);
    await this.requests.ask(NaiveWriteOrder, bought);
    await this.requests.ask(NaiveSendText, bought);
    await this.requests.ask(NaiveCount, bought);
  }
  // #endregion
}
