import type { DataSource } from 'typeorm';
import { type AuditReport, type Invariant, type NumberFact, type SetFact, toSum } from '#contracts';
import { idSet } from './id-set.js';

type Facts = Readonly<Record<string, SetFact | NumberFact>>;
type NamesOf<F extends Facts, Kind> = {
  [Name in keyof F]: F[Name]['kind'] extends Kind ? Name : never;
}[keyof F] &
  string;

/** A service's facts, the queries that compute them, and the invariants that the service declares. */
export interface ServiceAudit<F extends Facts = Facts> {
  readonly facts: F;
  /** A query for each set, with one column, `id`. */
  readonly sets: Readonly<Record<NamesOf<F, 'set'>, string>>;
  /** An SQL expression for each number; one query selects them all. */
  readonly numbers: Readonly<Record<NamesOf<F, 'number'>, string>>;
  /** What that query selects from, if the expressions need it. */
  readonly from?: string;
  readonly invariants: readonly Invariant[];
  /** Figures that are zero once the service has nothing in flight. */
  readonly onTheWay?: readonly NumberFact[];
}

/** Declares a service's part of the audit. Every fact must have its query. */
export function defineAudit<F extends Facts>(audit: ServiceAudit<F>): ServiceAudit<F> {
  return audit;
}

/** Reads the service's current facts from its database. */
export async function reportOf(
  database: DataSource,
  { sets, numbers, from, invariants, onTheWay = [] }: ServiceAudit,
): Promise<AuditReport> {
  const told: AuditReport = {
    sets: {},
    numbers: {},
    invariants: [...invariants],
    onTheWay: [...onTheWay],
  };
  for (const [name, query] of Object.entries<string>(sets)) told.sets[name] = await idSet(database, query);
  const columns = Object.entries<string>(numbers).map(
    ([name, expression]) => `(${expression})::numeric::text AS "${name}"`,
  );
  if (columns.length > 0) {
    const source = from === undefined ? '' : ` FROM ${from}`;
    const [row] = (await database.query(`SELECT ${columns.join(', ')}${source}`)) as [Record<string, string>];
    for (const [name, digits] of Object.entries(row)) told.numbers[name] = toSum(digits);
  }
  return told;
}
