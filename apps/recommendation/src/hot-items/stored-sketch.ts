import { SpaceSaving } from './space-saving.js';

/**
 * Counters of one part of the window. The error of a count is at most 1/200 of all points of the window, and a product
 * that has more than half a percent of them is always counted.
 */
const CAPACITY = 200;

/** The counters of a sketch as they are stored, in JSON. */
export type StoredSketch = readonly (readonly [key: string, count: number, error: number])[];

export function readSketch(stored: StoredSketch): SpaceSaving {
  return new SpaceSaving(
    CAPACITY,
    stored.map(([key, count, error]) => ({ key, count, error })),
  );
}

export function storeSketch({ entries }: SpaceSaving): StoredSketch {
  return entries.map(({ key, count, error }) => [key, count, error] as const);
}
