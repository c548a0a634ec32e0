import type { ShopClient } from './client/shop-client.js';
import { CallFailed } from './client/http.js';
import type { Launcher } from './launcher.js';
import { type Instance, signal } from './processes.js';

/** A part of the outside world that the sandbox plays. */
export type OutsidePart = 'payment' | 'sms' | 'merchant' | 'pager';

/** How a part of the outside world misbehaves. */
export interface OutsideFault {
  /** How long its answers and callbacks are delayed, in ms. */
  readonly delayMs?: number;
  /** The share of calls that fail, 0 to 1. */
  readonly failRate?: number;
  /** The status of a failed call: 500 and above, and 429, mean an outage; any other, a refusal. */
  readonly failStatus?: number;
  /** How many extra times a callback is sent. */
  readonly duplicates?: number;
}

/** What the faults need to know of the shop. */
export interface FaultyShop {
  readonly client: ShopClient;
  readonly launcher: Launcher;
  readonly sandboxUrl: string;
  processes(): Promise<Instance[]>;
}

const UP = 'was started again';

/** Breaks the shop on purpose, and repairs it. Instances are named as in the launcher's lines: `points-1`. */
export class Faults {
  /** Where in the launcher's lines to look for the next start of an instance that was ended here. */
  private readonly endedAt = new Map<string, number>();

  constructor(private readonly shop: FaultyShop) {}

  /** Makes a part of the outside world misbehave from now on. */
  async outside(part: OutsidePart, fault: OutsideFault): Promise<void> {
    const url = `${this.shop.sandboxUrl}/faults/${part}`;
    const answer = await this.shop.client.callPatiently('PUT', url, { body: fault });
    if (answer.status !== 200) throw new CallFailed('PUT', url, answer);
  }

  /** Makes a part of the outside world work again. */
  async repair(part: OutsidePart): Promise<void> {
    await this.outside(part, {});
  }

  /** `kill -9`. The launcher starts it again: `untilUp` waits for that. */
  async kill(instance: string): Promise<void> {
    await this.end(instance, 'SIGKILL');
  }

  /** Lets it finish what it has in hand, as a deployment does, and resolves when its replacement is up. */
  async restart(instance: string): Promise<void> {
    await this.end(instance, 'SIGTERM');
    await this.untilUp(instance);
  }

  /** Stops it in the middle of whatever it does (SIGSTOP): its connections stay, and it does not answer. */
  async freeze(instance: string): Promise<void> {
    signal((await this.find(instance)).pid, 'SIGSTOP');
  }

  /** Lets a frozen instance go on. */
  async resume(instance: string): Promise<void> {
    signal((await this.find(instance)).pid, 'SIGCONT');
  }

  /** Resolves when an instance that was killed is up again. @throws NotInTime */
  async untilUp(instance: string): Promise<void> {
    const from = this.endedAt.get(instance);
    if (from === undefined) return;
    await this.shop.launcher.untilSaid(
      `${instance} to be up again`,
      lines => lines.slice(from).includes(`${instance} ${UP}`),
      this.shop.client.patienceMs,
    );
  }

  /** `kill -9` of the launcher and of everything that it started. The data stays, and a shop can be started on it. */
  async killEverything(): Promise<void> {
    await this.shop.launcher.kill();
    for (let left = await this.shop.processes(); left.length > 0; left = await this.shop.processes())
      for (const { pid } of left) signal(pid, 'SIGKILL');
  }

  private async end(instance: string, how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { pid } = await this.find(instance);
    this.endedAt.set(instance, this.shop.launcher.lines.length);
    signal(pid, how);
  }

  /** @throws Error that names the instances that run */
  private async find(instance: string): Promise<Instance> {
    const processes = await this.shop.processes();
    const found = processes.find(each => each.instance === instance);
    if (found !== undefined) return found;
    const running = processes.flatMap(each => each.instance ?? []).sort();
    throw new Error(`${instance} does not run; these do: ${running.join(', ')}`);
  }
}
