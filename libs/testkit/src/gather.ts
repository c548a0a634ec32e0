/** Collects what arrives and wakes those who wait for it: tests wait for this signal, never for time. */
export class Gathered<T> {
  readonly items: T[] = [];
  private readonly waiting = new Set<() => void>();

  add(...items: readonly T[]): void {
    this.items.push(...items);
    for (const check of this.waiting) check();
  }

  /** Resolves when the condition holds for what has arrived. The test's own time limit is the only one. */
  async until(condition: (items: readonly T[]) => boolean): Promise<readonly T[]> {
    await new Promise<void>(resolve => {
      const check = () => {
        if (!condition(this.items)) return;
        this.waiting.delete(check);
        resolve();
      };
      this.waiting.add(check);
      check();
    });
    return this.items;
  }

  async count(n: number): Promise<readonly T[]> {
    return this.until(items => items.length >= n);
  }
}

/** A promise and the means to settle it: it holds a handler until the test has looked. */
export class Gate {
  private open!: () => void;
  readonly opened = new Promise<void>(resolve => (this.open = resolve));

  release(): void {
    this.open();
  }
}

/**
 * Asks again until the answer fits: for state that another process changes without a signal. Each question
 * waits for the answer before it, and a short pause.
 */
export async function eventually<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
