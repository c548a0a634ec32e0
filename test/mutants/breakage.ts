import type { Type } from '@nestjs/common';
import { Outbox, Timers } from '#messaging';
import { again, underOtherIds, type Event, type Fault, half, lessened, nothing } from './break-handlers.js';
import type { Mutant } from './mutant.js';
import { Muted } from './replace-methods.js';

/** The invariants that tell a fault, or why the audit stays clean. */
type Told = Mutant['told'];

/** Which invariants tell each fault of a handler. */
export interface Breakage {
  /** Which events it does anything for; all if left out. */
  readonly concerns?: (event: Event) => boolean;
  readonly nothing: Told;
  readonly half: Told;
  readonly twice: Told;
  /** It publishes nothing. */
  readonly untold?: Told;
  /** It schedules nothing. */
  readonly timeless?: Told;
  /** Half of every amount and quantity, where its books have any. */
  readonly lessened?: Told;
}

/** Every way to break a handler. */
export function mutantsOf(handler: string, breakage: Breakage): Mutant[] {
  const { concerns, twice, untold, timeless } = breakage;
  const mutant = (way: string, told: Told, make: () => Fault): Mutant => ({
    handler,
    way,
    told,
    start: (_, handlers) => handlers.break(handler, make()),
  });
  const found = [
    mutant('not done', breakage.nothing, () => nothing),
    mutant('done by half', breakage.half, () => half(concerns)),
    // Where its writes tell it, the database refuses them under the same ids, and the message waits.
    mutant('done twice', typeof twice === 'string' ? twice : [accountOf(handler)], () => again),
  ];
  if (typeof twice !== 'string') found.push(mutant('done twice under new ids', twice, () => underOtherIds));
  if (untold) found.push(muted(handler, 'done and not told', Outbox, 'publish', untold));
  if (timeless) found.push(muted(handler, 'done without a timer', Timers, 'schedule', timeless));
  if (breakage.lessened)
    found.push(mutant('done with half of every amount', breakage.lessened, () => lessened));
  return found;
}

/** The handler does all but what it does with this provider. */
function muted(handler: string, way: string, provider: Type, method: string, told: Told): Mutant {
  const [service] = handler.split('.') as [string];
  return {
    handler,
    way,
    told,
    start(shop, handlers) {
      const silent = new Muted(shop.of(service).app.get<object>(provider), method);
      const { struck, undo } = handlers.break(handler, async (call, events) => {
        await silent.during(() => call(events));
        return 0;
      });
      return {
        struck,
        undo() {
          undo();
          silent.undo();
        },
      };
    },
  };
}

function accountOf(handler: string): string {
  const [subscription] = handler.split(' <- ');
  return `handled + skipped + duplicate + parked + dead + discarded = appended, for ${subscription}`;
}
