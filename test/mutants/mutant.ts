import type { Broken, Handlers } from './break-handlers.js';
import type { ShopInProcess } from './shop-in-process.js';

/** One handler, broken in one way. */
export interface Mutant {
  /** `<subscription> <- <event>`, or the type of a request. */
  readonly handler: string;
  readonly way: string;
  /** The invariants that tell it, or why the audit stays clean. */
  readonly told: readonly string[] | string;
  start(shop: ShopInProcess, handlers: Handlers): Broken;
}
