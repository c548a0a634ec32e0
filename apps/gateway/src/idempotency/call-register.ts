import { Injectable, Logger } from '@nestjs/common';
import {
  type Begun,
  beginKeyedCalls,
  type KeyedCall,
  MAX_KEYED_CALLS,
  type Settled,
  settleKeyedCalls,
} from '#idempotency';
import { Batcher } from '#messaging';
import { RequestClient } from '#requests';

/** Asks the services that remember keyed calls. Calls of one moment are asked together. */
@Injectable()
export class CallRegister {
  private readonly logger = new Logger(CallRegister.name);
  private readonly beginning: Batcher<KeyedCall, Begun>;
  private readonly settling: Batcher<Settled, void>;
  /** Keys of calls that this instance is at, so that a batch has no key twice. */
  private readonly here = new Set<string>();

  constructor(requests: RequestClient) {
    const options = { maxItems: MAX_KEYED_CALLS, oneAtATime: false };
    this.beginning = new Batcher(async (calls, service) => {
      const request = { calls: [...calls] };
      return (await requests.ask(beginKeyedCalls(service), request, { repeatable: true })).calls;
    }, options);
    this.settling = new Batcher(async (calls, service) => {
      await requests.ask(settleKeyedCalls(service), { calls: [...calls] }, { repeatable: true });
      return calls.map(() => undefined);
    }, options);
  }

  /** @throws ServiceUnavailable; nothing was begun then that does not lapse by itself */
  async begin(service: string, call: KeyedCall): Promise<Begun> {
    if (this.here.has(call.key)) return { state: 'under_way' };
    this.here.add(call.key);
    try {
      const begun = await this.beginning.add(call, service);
      if (begun.state !== 'claimed') this.here.delete(call.key);
      return begun;
    } catch (error) {
      this.here.delete(call.key);
      throw error;
    }
  }

  /**
   * Settles a claim. A claim that cannot be settled lapses; the next call with its key is then made again, with the same
   * ids. So this does not throw.
   */
  async settle(service: string, settled: Settled): Promise<void> {
    if (settled.as !== 'under_way') this.here.delete(settled.key);
    try {
      await this.settling.add(settled, service);
    } catch (error) {
      this.logger.warn(`${service} did not note a keyed call as ${settled.as}: ${String(error)}`);
    }
  }
}
