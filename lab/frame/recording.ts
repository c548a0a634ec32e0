/** Seconds since the recording began, and a value. */
export type Point = readonly [seconds: number, value: number];
export type Mark = readonly [seconds: number, what: string];

/** More than a plot can show. */
const MOST_POINTS = 400;

/** What happened in an arm over time. */
export class Recording {
  readonly marks: Mark[] = [];
  private readonly points = new Map<string, Point[]>();
  private readonly counts = new Map<string, number>();
  private startedAt = performance.now();

  /** From here on, time counts. */
  begin(): void {
    this.startedAt = performance.now();
  }

  get seconds(): number {
    return (performance.now() - this.startedAt) / 1_000;
  }

  count(series: string, by: number): void {
    // The line begins where time does.
    if (!this.counts.has(series)) this.points.set(series, [[0, 0]]);
    const now = (this.counts.get(series) ?? 0) + by;
    this.counts.set(series, now);
    this.record(series, now);
  }

  record(series: string, value: number): void {
    const points = this.points.get(series) ?? [];
    points.push([this.seconds, value]);
    this.points.set(series, points);
  }

  mark(what: string): void {
    this.marks.push([this.seconds, what]);
  }

  /** A series, thinned to what can be shown; its first and last points are kept. */
  seriesOf(name: string): readonly Point[] {
    const points = this.points.get(name) ?? [];
    const step = Math.max(1, points.length / MOST_POINTS);
    const kept = Array.from(
      { length: Math.ceil(points.length / step) },
      (_, n) => points[Math.floor(n * step)]!,
    );
    const last = points.at(-1);
    return last === undefined || kept.at(-1) === last ? kept : [...kept, last];
  }
}
