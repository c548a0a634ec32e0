import type { StartShopOptions } from '#shop-kit';
import type { Arm, Figures, Size } from './arms.js';
import type { Stage } from './stage.js';

export interface Invariant<F extends Figures = Figures> {
  /** A sentence that holds or does not: `every committed order has its message`. */
  readonly name: string;
  /** What the naive arm does to it, every time: the end-to-end tests expect it. */
  readonly naive: 'breaks' | 'keeps';
  holds(figures: F): boolean;
}

/**
 * An experiment. For each arm: the scene is set, load and faults run at the same time, and when both have ended
 * the figures are taken and the invariants asked. lab/README.md says how to add one.
 */
export interface Experiment<S extends Size = Size, Scene = unknown, F extends Figures = Figures> {
  /** As its folder: `transactional-publish`. */
  readonly name: string;
  readonly question: string;
  /** What each arm does, in a few words. */
  readonly arms: Readonly<Record<Arm, string>>;
  /** `small` is for the tests and takes seconds; `full` is for people. */
  readonly sizes: { readonly small: S; readonly full: S };
  /** How its shop is started. */
  readonly shop?: Omit<StartShopOptions, 'dataDir' | 'port'>;
  /** What is plotted over time, with its unit; recorded by `stage.count` and `stage.record`. */
  readonly series: Readonly<Record<string, string>>;
  /** What each figure means. */
  readonly figures: { readonly [Name in keyof F]: string };
  readonly invariants: readonly Invariant<F>[];
  scene(stage: Stage<S>): Promise<Scene>;
  load(stage: Stage<S>, scene: Scene): Promise<void>;
  faults?(stage: Stage<S>, scene: Scene): Promise<void>;
  measure(stage: Stage<S>, scene: Scene): Promise<F>;
  /** What was seen, in a sentence or two. */
  inWords(naive: F, ours: F): string;
}

/** Keeps the types of an experiment's parts together. */
export function defineExperiment<S extends Size, Scene, F extends Figures>(
  experiment: Experiment<S, Scene, F>,
): Experiment {
  return experiment as unknown as Experiment;
}
