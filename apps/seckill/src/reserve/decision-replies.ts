import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type Decision, TellDecisions } from '#contracts';
import type { RequestOf } from '#messaging';
import { RequestClient } from '#requests';

/** How long a gateway may take to accept a reply, in ms. */
const TELL_MS = 2_000;

export interface DecidedClick {
  readonly reservationId: string;
  readonly decision: Decision;
}

/** What is told besides the decisions. */
export type Told = Pick<RequestOf<typeof TellDecisions>, 'now' | 'soldOut'>;

/**
 * Sends decisions to the gateways that wait for them. Nothing waits for a gateway: one that is gone has nobody to tell, and
 * a buyer who asks again with the same key gets the same decision.
 */
@Injectable()
export class DecisionReplies implements OnApplicationShutdown {
  private readonly logger = new Logger(DecisionReplies.name);
  private readonly requests = new RequestClient(() => []);
  private readonly underWay = new Set<Promise<void>>();

  tell(address: string, decisions: readonly DecidedClick[], told: Told): void {
    const telling = this.requests
      .ask(
        TellDecisions,
        { decisions: [...decisions], ...told },
        { address, repeatable: true, deadlineMs: TELL_MS },
      )
      .then(
        () => undefined,
        (error: unknown) =>
          this.logger.warn(`${decisions.length} decisions did not reach ${address}: ${String(error)}`),
      )
      .finally(() => this.underWay.delete(telling));
    this.underWay.add(telling);
  }

  /** What was decided is told before the service goes: its handlers have ended by then. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
    this.requests.close();
  }
}
