import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { codeOf, SqlState } from './sql-state.js';

/** SQLSTATE classes and codes of a database that is away, overloaded or lost a race. They say nothing of the data. */
const TRANSIENT_SQL = /^(08|53|57|58|40001|40P01|25006|25P03|25P04|55P03|XX000)/;

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EMFILE',
]);

/** Most causes of an error that are looked at. */
const MOST_CAUSES = 10;

/** A dependency of the handler is away or overloaded: not the message's fault. */
export class DependencyUnavailable extends Error {
  constructor(
    readonly dependency: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${dependency} is not available: ${reason}`, options);
  }
}

/**
 * Whether an error is an outage by its kind: the same can succeed later, and a smaller batch does not help. Decided by
 * codes and classes, never by a message's text.
 */
export function isInfrastructureError(error: unknown): boolean {
  return causesOf(error).some(
    cause =>
      cause instanceof DependencyUnavailable ||
      cause instanceof QueryRunnerAlreadyReleasedError ||
      cause instanceof QueryRunnerProviderAlreadyReleasedError ||
      (cause instanceof DOMException && cause.name === 'TimeoutError') ||
      isUnanswered(cause) ||
      isTransientCode(codeOf(cause)),
  );
}

/** Another instance owns the partition now: not a failure. */
export function isStaleOwner(error: unknown): boolean {
  return codeOf(error) === SqlState.staleOwner;
}

/** A query that failed without a SQLSTATE: the server never answered, because the connection was lost. */
function isUnanswered(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { driverError } = error as { driverError: unknown };
  // A TypeError or RangeError of the driver is about the values of the query.
  return driverError instanceof Error && driverError.name === 'Error' && codeOf(driverError) === undefined;
}

function isTransientCode(code: string | undefined): boolean {
  if (code === undefined) return false;
  const isSql = /^[0-9A-Z]{5}$/.test(code);
  return (
    code === SqlState.staleOwner ||
    NETWORK.has(code) ||
    code.startsWith('UND_ERR_') ||
    (isSql && TRANSIENT_SQL.test(code))
  );
}

/** The error and what caused it, as far as that goes without coming back to where it was. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; cause instanceof Error && causes.length < MOST_CAUSES; cause = cause.cause) {
    if (causes.includes(cause)) break;
    causes.push(cause);
  }
  return causes;
}
