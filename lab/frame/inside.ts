import { openQueue } from './queue.js';
import type { Report } from './lab-process.js';

// For the programs that an experiment starts as processes.

/** What the experiment has told this process. @throws Error when it has not */
export function told(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; the lab starts this program`);
  return value;
}

/** Tells the experiment. Resolves when the message has left, so that a crash afterward does not hide it. */
export async function report(message: Report): Promise<void> {
  await new Promise<void>(resolve => process.send!(message, () => resolve()));
}

/** The shop's queue, as an instance of this name. */
export const queueAs = (instance: string) => openQueue(process.env, instance);

// Nothing is left behind when the experiment is gone.
process.once('disconnect', () => process.exit());
