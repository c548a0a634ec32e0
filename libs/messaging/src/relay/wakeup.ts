/** A flag that a loop waits on. A wake that comes while nobody waits is kept, several count as one. */
export class Wakeup {
  private pending = false;
  private release: (() => void) | undefined;

  wake(): void {
    this.pending = true;
    this.release?.();
  }

  /** Resolves at the next wake, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.pending) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms);
        this.release = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.release = undefined;
    }
    this.pending = false;
  }

  /** A pause that ordinary wakes do not cut short; one that finds `cancelled` true does. */
  async sleep(ms: number, cancelled: () => boolean): Promise<void> {
    const until = performance.now() + ms;
    for (let left = ms; left > 0 && !cancelled(); left = until - performance.now()) await this.wait(left);
  }
}

/** The longest rest, in ms: the most that one can add to a message's way. */
const LONGEST_REST_MS = 100;
/** How much longer a loop rests than it worked. */
const REST_FACTOR = 3;

/**
 * Rests in proportion to the work before it, up to a limit. A loop that works whenever there is something works
 * on crumbs when the machine is busy, and keeps it busy; one that rests finds a batch. On an idle machine the
 * work is short and so is the rest; a lone message waits for nobody.
 */
export async function restAfter(startedAt: number, factor: number = REST_FACTOR): Promise<void> {
  const rest = Math.min((performance.now() - startedAt) * factor, LONGEST_REST_MS);
  if (rest >= 1) await new Promise(resolve => setTimeout(resolve, rest));
}
