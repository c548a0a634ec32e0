import {
  type Bucket,
  type BucketSpec,
  changeBucket,
  grantTokens,
  heldTokens,
  issueTokens,
  newBucket,
  TokenBlock,
  type TokenGrant,
} from '#messaging';

/** How one ask travels: how long there and back, in ms, and what is lost on the way. */
export interface Journey {
  readonly thereMs: number;
  readonly backMs: number;
  /** `died`: the instance decided and was killed before it could commit. */
  readonly lost: 'nothing' | 'ask' | 'answer' | 'died';
  /** In how many ms a copy of the ask arrives too; `undefined` for none. */
  readonly copyMs?: number;
}

interface Gateway {
  block: TokenBlock;
  /** Tells the lives of one gateway apart. */
  life: number;
  /** What its clock shows at 0. */
  readonly offset: number;
  frozenUntil: number;
  readonly waiting: { readonly until: number }[];
}

/** How long a call waits, and after which time an ask is given up, in ms. */
const PATIENCE_MS = 500;

/**
 * Gateways, a network and a bucket in a time of their own. Blocks and bucket are the real ones; what happens when, and
 * what is lost, is the test's to say. What was admitted is kept with its time.
 */
export class TokenWorld {
  now = 0;
  readonly admitted: number[] = [];
  refused = 0;
  asks = 0;
  /** Every spec with the time from which on it held. */
  readonly specs: { readonly at: number; readonly spec: BucketSpec }[];
  private bucket: Bucket;
  private clockOffset: number;
  private readonly gateways: Gateway[];
  private events: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  private order = 0;

  constructor(
    spec: BucketSpec,
    offsets: readonly number[],
    private readonly journey: () => Journey,
    clockOffset = 1_000_000,
  ) {
    this.specs = [{ at: 0, spec }];
    this.clockOffset = clockOffset;
    this.bucket = newBucket(spec, clockOffset);
    this.gateways = offsets.map(offset => ({
      block: new TokenBlock('b', this.newSession, offset),
      life: 0,
      offset,
      frozenUntil: 0,
      waiting: [],
    }));
  }

  private readonly newSession = (): string => `session-${(this.order += 1)}`;

  /** Lets time pass, and everything happen that is due until then. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.events[0];
      if (next === undefined || next.at > until) break;
      this.events.shift();
      this.now = next.at;
      next.run();
    }
    this.now = until;
    for (const gateway of this.gateways)
      if (!this.isFrozen(gateway) && gateway.block.isIdle(this.clockOf(gateway))) this.ask(gateway);
  }

  call(index: number): void {
    const gateway = this.gateways[index % this.gateways.length]!;
    if (this.isFrozen(gateway)) return;
    const now = this.clockOf(gateway);
    const taken = gateway.block.arrive(now);
    if (taken === 'taken') this.admitted.push(this.now);
    else if (taken === 'wait') gateway.waiting.push({ until: this.now + PATIENCE_MS });
    else this.refuse(gateway);
    if (gateway.block.isDue(now)) this.ask(gateway);
  }

  /** `kill -9`, and a new process at once: what it had is gone. */
  kill(index: number): void {
    const gateway = this.gateways[index % this.gateways.length]!;
    gateway.waiting.length = 0;
    gateway.life += 1;
    gateway.frozenUntil = 0;
    gateway.block = new TokenBlock('b', this.newSession, this.clockOf(gateway));
  }

  /** `kill -STOP`, and `-CONT` after that time: what arrives meanwhile is seen then. */
  freeze(index: number, ms: number): void {
    this.gateways[index % this.gateways.length]!.frozenUntil = this.now + ms;
  }

  change(spec: BucketSpec): void {
    this.bucket = changeBucket(this.bucket, spec, this.now + this.clockOffset);
    this.specs.push({ at: this.now, spec });
    for (const { block } of this.gateways) block.changed();
  }

  setClockBack(ms: number): void {
    this.clockOffset -= ms;
  }

  /** Tokens that are issued and not reported as spent. */
  get unspent(): number {
    const { state } = issueTokens(this.bucket, this.now + this.clockOffset);
    return state.level + heldTokens(state);
  }

  private clockOf({ offset }: Gateway): number {
    return this.now + offset;
  }

  private isFrozen({ frozenUntil }: Gateway): boolean {
    return this.now < frozenUntil;
  }

  private refuse({ block }: Gateway): void {
    block.refuse();
    this.refused += 1;
  }

  private after(ms: number, run: () => void): void {
    const event = { at: this.now + ms, order: (this.order += 1), run };
    let place = this.events.length;
    while (place > 0 && this.events[place - 1]!.at > event.at) place -= 1;
    this.events.splice(place, 0, event);
  }

  private ask(gateway: Gateway): void {
    this.asks += 1;
    const ask = gateway.block.ask(this.clockOf(gateway), gateway.waiting.length);
    const { life } = gateway;
    const { thereMs, backMs, lost, copyMs } = this.journey();
    const serve = (): TokenGrant => {
      const { bucket, grant } = grantTokens(this.bucket, ask, this.now + this.clockOffset);
      if (lost !== 'died') this.bucket = bucket;
      return grant;
    };
    const atGateway = (run: () => void) => () => {
      if (gateway.life !== life) return;
      const thawed = () => {
        run();
        this.serveWaiting(gateway);
      };
      if (this.isFrozen(gateway)) this.after(gateway.frozenUntil - this.now, thawed);
      else thawed();
    };
    if (lost !== 'ask')
      this.after(thereMs, () => {
        const grant = serve();
        if (lost === 'nothing')
          this.after(
            backMs,
            atGateway(() => gateway.block.answered(ask.number, grant, this.clockOf(gateway))),
          );
      });
    if (copyMs !== undefined) this.after(thereMs + copyMs, () => void serve());
    this.after(
      PATIENCE_MS,
      atGateway(() => gateway.block.failed(ask.number, this.clockOf(gateway))),
    );
  }

  private serveWaiting(gateway: Gateway): void {
    const { block, waiting } = gateway;
    const now = this.clockOf(gateway);
    while (waiting.length > 0) {
      const taken = block.take(now);
      if (taken === 'wait' && waiting[0]!.until > this.now) {
        if (block.isDue(now)) this.ask(gateway);
        return;
      }
      waiting.shift();
      if (taken === 'taken') this.admitted.push(this.now);
      else this.refuse(gateway);
    }
  }
}
