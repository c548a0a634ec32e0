import { table } from '#shop-kit';
import { ARMS } from './arms.js';
import type { Outcome } from './run-experiment.js';

const MOST_DIGITS = 1;

/** The outcome as a person reads it in a terminal. */
export function summaryOf({ experiment, arms, words, asExpected }: Outcome): string {
  const { figures, invariants } = experiment;
  const rows = [
    ['', ...ARMS],
    ...Object.entries(figures).map(([name, label]) => [
      label,
      ...ARMS.map(arm => shown(arms[arm].figures[name])),
    ]),
    ...invariants.map(({ name }) => [
      name,
      ...ARMS.map(arm => (arms[arm].broken.includes(name) ? '✗' : '✓')),
    ]),
  ];
  const verdict = asExpected
    ? 'As expected: ours keeps every invariant, and the naive way breaks what it is said to break.'
    : arms.ours.broken.length > 0
      ? `NOT AS EXPECTED: ours breaks: ${arms.ours.broken.join('; ')}.`
      : 'Not as expected: this time the naive way broke other things than it is said to break.';
  const says = ARMS.map(arm => `${arm.padEnd(5)}  ${experiment.arms[arm]}`);
  return [`${experiment.question}\n`, ...says, '', table(rows), '', words, verdict].join('\n');
}

/** A figure as a person reads it. */
export function shown(figure: number | undefined): string {
  return figure === undefined ? '–' : figure.toLocaleString('en-US', { maximumFractionDigits: MOST_DIGITS });
}
