/** A flag that a loop waits on. A wake while nobody waits is kept; several count as one. */
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

  /** A pause that ordinary wakes do not cut short. A wake that finds `cancelled` true does. */
  async sleep(ms: number, cancelled: () => boolean): Promise<void> {
    const until = performance.now() + ms;
    while (!cancelled()) {
      const left = until - performance.now();
      if (left <= 0) return;
      await this.wait(left);
    }
  }
}
