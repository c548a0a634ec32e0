import { AsyncLocalStorage } from 'node:async_hooks';

export type Method = (...args: unknown[]) => Promise<unknown>;

/** Replaces a method of one object. @returns what puts it back */
export function replace(
  target: object,
  method: string,
  by: (done: Method, ...args: unknown[]) => Promise<unknown>,
): () => void {
  const methods = target as Record<string, Method>;
  const done = methods[method]!.bind(target);
  methods[method] = (...args) => by(done, ...args);
  return () => Reflect.deleteProperty(target, method);
}

/** A method that does nothing during some work, and is as it was for everybody else. */
export class Muted {
  private readonly work = new AsyncLocalStorage<true>();
  readonly undo: () => void;

  constructor(target: object, method: string) {
    this.undo = replace(target, method, async (done, ...args) =>
      this.work.getStore() === true ? undefined : done(...args),
    );
  }

  during<T>(work: () => Promise<T>): Promise<T> {
    return this.work.run(true, work);
  }
}
