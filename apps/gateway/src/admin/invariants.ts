import type { AuditReport, Invariant, NumberFact, SetFact, Sum } from '#contracts';
import type { SubscriptionState } from '#messaging';

/** An invariant, and whether it holds. */
export interface Judged {
  readonly invariant: string;
  /** Also false when a service that it needs does not answer: the result is then unknown. */
  readonly holds: boolean;
  readonly figures: Readonly<Record<string, Sum>>;
  /** The services that did not report what it needs. */
  readonly unknown?: readonly string[];
}

export type Reports = ReadonlyMap<string, AuditReport>;

/** Checks the declared invariants against the reported facts. Pure. */
export function judgeAll(reports: Reports): Judged[] {
  return [...reports.values()].flatMap(({ invariants }) => invariants.map(each => judge(each, reports)));
}

/** Whether every count of things still in flight is zero. Pure. */
export function isQuiet(reports: Reports): boolean {
  return [...reports.values()].every(({ onTheWay }) =>
    onTheWay.every(fact => reports.get(fact.service)?.numbers[fact.name] === 0),
  );
}

function judge(invariant: Invariant, reports: Reports): Judged {
  const facts = factsOf(invariant);
  const labels = invariant.kind === 'equal' ? invariant.labels : undefined;
  const unknown = facts.filter(fact => figureOf(fact, reports) === undefined).map(({ service }) => service);
  const figures = Object.fromEntries(
    facts.flatMap((fact, index) => {
      const figure = figureOf(fact, reports);
      return figure === undefined ? [] : [[labels?.[index] ?? labelOf(fact, facts), figure]];
    }),
  );
  if (unknown.length > 0)
    return { invariant: invariant.invariant, holds: false, figures, unknown: [...new Set(unknown)] };
  return { invariant: invariant.invariant, holds: holds(invariant, reports), figures };
}

function holds(invariant: Invariant, reports: Reports): boolean {
  // Every fact has a figure here. Sums may be larger than a number can tell exactly.
  const number = (fact: NumberFact) => BigInt(figureOf(fact, reports)!);
  switch (invariant.kind) {
    case 'same-set': {
      const [of, as] = [setOf(invariant.of, reports), setOf(invariant.as, reports)];
      return (
        of !== undefined &&
        as !== undefined &&
        of.count === as.count &&
        of.distinct === of.count &&
        as.distinct === as.count &&
        of.checksum === as.checksum
      );
    }
    case 'equal':
      return number(invariant.of) === number(invariant.as);
    case 'zero':
      return invariant.of.every(fact => number(fact) === 0n);
    case 'sum':
      return invariant.of.reduce((total, fact) => total + number(fact), 0n) === number(invariant.as);
  }
}

function factsOf(invariant: Invariant): (SetFact | NumberFact)[] {
  switch (invariant.kind) {
    case 'same-set':
    case 'equal':
      return [invariant.of, invariant.as];
    case 'zero':
      return invariant.of;
    case 'sum':
      return [...invariant.of, invariant.as];
  }
}

function setOf({ service, name }: SetFact, reports: Reports) {
  return reports.get(service)?.sets[name];
}

/** A number, or the size of a set; undefined when its service did not report it. */
function figureOf(fact: SetFact | NumberFact, reports: Reports): Sum | undefined {
  return fact.kind === 'set' ? setOf(fact, reports)?.count : reports.get(fact.service)?.numbers[fact.name];
}

/** Such as `ever paid`, prefixed with its service where facts of several services are compared. */
function labelOf({ service, name }: SetFact | NumberFact, facts: readonly { service: string }[]): string {
  const words = name.replaceAll(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
  return facts.every(fact => fact.service === service) ? words : `${service}: ${words}`;
}

/** The invariants of every subscription. Pure. */
export function judgeSubscription(state: SubscriptionState): Judged[] {
  const { name, appended, handled, skipped, duplicate, parked, dead, discarded, lost, lag, outOfOrder } =
    state;
  return [
    {
      invariant: `handled + skipped + duplicate + parked + dead + discarded = appended, for ${name}`,
      holds:
        handled + skipped + duplicate + parked + dead + discarded === appended &&
        lag === 0 &&
        parked === 0 &&
        dead === 0 &&
        lost === 0,
      figures: { appended, handled, skipped, duplicate, parked, dead, discarded, lost, lag },
    },
    {
      invariant: `events of each key in the order of their commits, for ${name}`,
      holds: outOfOrder === 0,
      // Its service did not count them: unknown is not zero.
      figures: outOfOrder === null ? { handled } : { handled, 'out of order': outOfOrder },
    },
  ];
}
