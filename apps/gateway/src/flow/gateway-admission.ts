import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { GrantTokens, ListBuckets } from '#contracts';
import { Admission, type RequestDefinition, type RequestOf } from '#messaging';
import { RequestClient } from '#requests';

/** How long the buckets' service may take to answer, in ms. */
const ASK_MS = 450;

/** Admits calls to the gateway by the token buckets that the flash-sale service keeps. */
@Injectable()
export class GatewayAdmission extends Admission implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(requests: RequestClient) {
    let skip = 0;
    const ask = async <D extends RequestDefinition>(definition: D, data: RequestOf<D>) => {
      try {
        // A copy of an ask changes nothing, so a lost connection is no lost ask.
        const options = { repeatable: true, deadlineMs: ASK_MS, routingKey: 'flow', skip };
        return await requests.ask(definition, data, options);
      } catch (error) {
        // An instance that stands still is not waited for twice.
        skip += 1;
        throw error;
      }
    };
    super({
      ask: async asks => (await ask(GrantTokens, { asks: [...asks] })).grants,
      list: async () => (await ask(ListBuckets, {})).buckets.map(each => ({ ...each, removed: false })),
    });
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }
}
