import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type RunningShop, startShop } from '#shop-kit';
import { EXPERIMENTS } from '../../lab/experiments.js';
import { reportOf } from '../../lab/frame/report.js';
import { runExperiment } from '../../lab/frame/run-experiment.js';
import { summaryOf } from '../../lab/frame/summary.js';

const QUIET = { say: () => undefined, progress: () => undefined };

describe('the lab', () => {
  let shop: RunningShop | undefined;
  let startedWith: unknown;

  /** Those that want the same kind of shop share one. */
  async function shopFor(options: object | undefined): Promise<RunningShop> {
    if (shop !== undefined && isDeepStrictEqual(options, startedWith)) return shop;
    await shop?.stop();
    startedWith = options;
    shop = await startShop(options);
    return shop;
  }

  afterAll(() => shop?.stop());

  it.each(EXPERIMENTS.map(experiment => [experiment.name, experiment] as const))(
    'shows that the naive way breaks and ours does not: %s',
    async (_, experiment) => {
      const outcome = await runExperiment(experiment, 'small', await shopFor(experiment.shop), QUIET);
      const breaks = experiment.invariants.filter(each => each.naive === 'breaks').map(({ name }) => name);
      expect({ figures: outcome.arms.ours.figures, broken: outcome.arms.ours.broken }).toMatchObject({
        broken: [],
      });
      expect({ figures: outcome.arms.naive.figures, broken: outcome.arms.naive.broken }).toMatchObject({
        broken: breaks,
      });
      expect(breaks.length).toBeGreaterThan(0);
      expect(summaryOf(outcome)).toContain('As expected');
      const report = reportOf(outcome);
      expect(report.match(/<path class="line (naive|ours)"/g)!.length).toBeGreaterThanOrEqual(2);
      expect(report).not.toMatch(/(?:src|href)=/);
    },
  );
});
