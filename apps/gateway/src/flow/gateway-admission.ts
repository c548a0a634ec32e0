import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { GrantTokens, ListBuckets } from '#contracts';
import { Admission } from '#messaging';
import { RequestClient } from '#requests';

/** How long the buckets' service may take to answer, in ms; another instance is asked meanwhile if one is gone. */
const ASK_MS = 450;

/** Admits calls to the gateway by the token buckets that the flash-sale service keeps. */
@Injectable()
export class GatewayAdmission extends Admission implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(requests: RequestClient) {
    // A copy of an ask changes nothing, so a lost connection is no lost ask.
    const options = { repeatable: true, deadlineMs: ASK_MS, routingKey: 'flow' };
    super({
      ask: async asks => (await requests.ask(GrantTokens, { asks: [...asks] }, options)).grants,
      list: async () =>
        (await requests.ask(ListBuckets, {}, options)).buckets.map(each => ({ ...each, removed: false })),
    });
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }
}
