import type { RunningShop } from '#shop-kit';
import type { Arm, Figures } from './arms.js';
import type { Experiment } from './experiment.js';
import type { Mark, Point } from './recording.js';
import { Stage, type Watcher } from './stage.js';

/** What an arm has shown. */
export interface ArmOutcome {
  readonly seconds: number;
  readonly figures: Figures;
  readonly series: Readonly<Record<string, readonly Point[]>>;
  readonly marks: readonly Mark[];
  /** The names of the invariants that do not hold. */
  readonly broken: readonly string[];
}

export interface Outcome {
  readonly experiment: Experiment;
  readonly size: 'small' | 'full';
  readonly at: Date;
  readonly arms: Readonly<Record<Arm, ArmOutcome>>;
  readonly words: string;
  /** Ours holds everything, and the naive way breaks what it is said to break, and nothing else. */
  readonly asExpected: boolean;
}

/** Runs both arms, one after the other, on the same shop. */
export async function runExperiment(
  experiment: Experiment,
  size: 'small' | 'full',
  shop: RunningShop,
  watcher: Watcher,
): Promise<Outcome> {
  const at = new Date();
  const naive = await runArm(experiment, 'naive', size, shop, watcher);
  const ours = await runArm(experiment, 'ours', size, shop, watcher);
  const breaks = experiment.invariants.filter(each => each.naive === 'breaks').map(({ name }) => name);
  return {
    experiment,
    size,
    at,
    arms: { naive, ours },
    words: experiment.inWords(naive.figures, ours.figures),
    asExpected: ours.broken.length === 0 && same(naive.broken, breaks),
  };
}

async function runArm(
  experiment: Experiment,
  arm: Arm,
  size: 'small' | 'full',
  shop: RunningShop,
  watcher: Watcher,
): Promise<ArmOutcome> {
  const stage = new Stage(arm, experiment.sizes[size], shop, watcher);
  stage.say(experiment.arms[arm]);
  try {
    const scene = await experiment.scene(stage);
    stage.recording.begin();
    await Promise.all([experiment.load(stage, scene), experiment.faults?.(stage, scene)]);
    const { seconds } = stage.recording;
    const figures = await experiment.measure(stage, scene);
    const broken = experiment.invariants.filter(invariant => !invariant.holds(figures));
    const names = Object.keys(experiment.series);
    return {
      seconds,
      figures,
      series: Object.fromEntries(names.map(name => [name, stage.recording.seriesOf(name)])),
      marks: stage.recording.marks,
      broken: broken.map(({ name }) => name),
    };
  } finally {
    await stage.end();
  }
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every(each => others.includes(each));
}
