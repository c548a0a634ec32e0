import { Injectable } from '@nestjs/common';
import { TellTime } from '#contracts';
import { RequestClient } from '#requests';

/** The clock of the flash sale's database, as far as it is known here. Deadlines of clicks are told by it. */
@Injectable()
export class FlashSaleClock {
  /** What to add to our clock to get the other, in ms. It is never too much. */
  private offset: number | undefined;

  constructor(private readonly requests: RequestClient) {}

  /** @param now the other clock a moment ago, in ms since 1970 */
  learn(now: number): void {
    this.offset = now - performance.now();
  }

  /** What that clock shows when ours, `performance.now()`, shows `at`; undefined while it is not known. */
  at(at: number): number | undefined {
    return this.offset === undefined ? undefined : this.offset + at;
  }

  /** The same, asked for if it is not known. @throws ServiceUnavailable */
  async ask(at: number): Promise<number> {
    if (this.offset === undefined)
      this.learn((await this.requests.ask(TellTime, {}, { repeatable: true })).now);
    return this.offset! + at;
  }
}
