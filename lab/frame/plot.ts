import type { Arm } from './arms.js';
import type { Mark, Point } from './recording.js';

export interface Line {
  readonly arm: Arm;
  readonly points: readonly Point[];
  readonly marks: readonly Mark[];
}

const SIZE = { width: 720, height: 260 };
const EDGE = { left: 64, right: 12, top: 12, bottom: 34 };
const INNER = {
  width: SIZE.width - EDGE.left - EDGE.right,
  height: SIZE.height - EDGE.top - EDGE.bottom,
};
const TICKS = 5;

/** A line for each arm over time, as SVG. Dashed lines are what was marked, such as faults. */
export function plot(label: string, lines: readonly Line[]): string {
  const points = lines.flatMap(line => line.points);
  if (points.length === 0) return '';
  const longest = niceAbove(Math.max(...points.map(([seconds]) => seconds), 0.1));
  const highest = niceAbove(Math.max(...points.map(([, value]) => value), 1));
  const x = (seconds: number) => round(EDGE.left + (seconds / longest) * INNER.width);
  const y = (value: number) => round(EDGE.top + INNER.height - (value / highest) * INNER.height);
  const bottom = EDGE.top + INNER.height;
  const ticks = Array.from({ length: TICKS + 1 }, (_, n) => n / TICKS);
  const grid = ticks.map(
    share =>
      `<line class="grid" x1="${EDGE.left}" x2="${SIZE.width - EDGE.right}" y1="${y(share * highest)}" y2="${y(share * highest)}"/>` +
      `<text class="tick" x="${EDGE.left - 8}" y="${y(share * highest) + 4}" text-anchor="end">${short(share * highest)}</text>` +
      `<text class="tick" x="${x(share * longest)}" y="${bottom + 16}" text-anchor="middle">${short(share * longest)} s</text>`,
  );
  const marks = lines.flatMap(({ arm, marks: all }) =>
    all
      .filter(([seconds]) => seconds <= longest)
      .map(
        ([seconds, what]) =>
          `<line class="mark ${arm}" x1="${x(seconds)}" x2="${x(seconds)}" y1="${EDGE.top}" y2="${bottom}"><title>${escape(`${arm}: ${what}`)}</title></line>`,
      ),
  );
  const paths = lines
    .filter(line => line.points.length > 0)
    .map(({ arm, points: all }) => {
      const [[firstX, firstY]] = [all[0]!];
      const rest = all.slice(1).map(([seconds, value]) => `H${x(seconds)}V${y(value)}`);
      return `<path class="line ${arm}" d="M${x(firstX)} ${y(firstY)}${rest.join('')}"/>`;
    });
  return (
    `<figure><figcaption>${escape(label)}</figcaption>` +
    `<svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${escape(label)}">` +
    `${grid.join('')}${marks.join('')}${paths.join('')}</svg></figure>`
  );
}

/** Text that means itself in HTML. */
export function escape(text: string): string {
  return text.replace(/[&<>"]/g, each => `&#${each.charCodeAt(0)};`);
}

/** The next number above that is easy to read: a short one times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map(step => step * power).find(nice => nice >= value)!;
}

function short(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3, notation: 'compact' });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
