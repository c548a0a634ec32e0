import { Injectable } from '@nestjs/common';
import { HOT_ITEMS_EVERY_MS, type HotItemsListed } from '#contracts';

/** A list that was not renewed for this long is no longer believed, in ms: whoever tells it is away. */
const FORGOTTEN_AFTER_MS = 3 * HOT_ITEMS_EVERY_MS;

interface Heard {
  readonly list: HotItemsListed;
  readonly skus: ReadonlySet<string>;
  /** By `performance.now()`. */
  readonly at: number;
}

/** What is hot, as this instance has last heard. */
@Injectable()
export class HotItems {
  private heard: Heard | undefined;

  learn(list: HotItemsListed, now: number = performance.now()): void {
    const known = this.current(now);
    if (known !== undefined && known.version >= list.version) return;
    this.heard = { list, skus: new Set(list.items.map(({ sku }) => sku)), at: now };
  }

  has(sku: string, now: number = performance.now()): boolean {
    return this.current(now) !== undefined && this.heard!.skus.has(sku);
  }

  /** The list; undefined if nothing is hot, as far as is known. */
  current(now: number = performance.now()): HotItemsListed | undefined {
    return this.heard !== undefined && now - this.heard.at < FORGOTTEN_AFTER_MS ? this.heard.list : undefined;
  }
}
