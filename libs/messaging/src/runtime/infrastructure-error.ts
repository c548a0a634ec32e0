import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { describeError } from './describe-error.js';
import { codeOf, SqlState } from './sql-state.js';

/** SQLSTATE classes and codes of a database that is away, overloaded or lost a race. They say nothing of the data. */
const TRANSIENT_SQL = /^(08...|53...|57...|58...|40001|40P01|25006|25P03|25P04|55P03|XX000)$/;

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

/** A dependency is left alone because it failed repeatedly: this call says nothing of its own about it. */
export class CircuitOpen extends DependencyUnavailable {}

export function isCircuitOpen(error: unknown): boolean {
  return causesOf(error).some(cause => cause instanceof CircuitOpen);
}

/** The database gave no connection, or no answer: nothing was asked of it. */
export class DatabaseUnavailable extends DependencyUnavailable {
  constructor(cause: unknown) {
    super('the database', cause instanceof Error ? cause.message : describeError(cause), { cause });
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
      isTransientAnswer(cause) ||
      isNetworkCode(codeOf(cause)),
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

/** What PostgreSQL itself said. A code of five characters in any other error is somebody else's. */
function isTransientAnswer(cause: object): boolean {
  const isAnswer =
    cause instanceof QueryFailedError || typeof (cause as { severity?: unknown }).severity === 'string';
  const code = codeOf(cause);
  return isAnswer && code !== undefined && (code === SqlState.staleOwner || TRANSIENT_SQL.test(code));
}

function isNetworkCode(code: string | undefined): boolean {
  return code !== undefined && (NETWORK.has(code) || code.startsWith('UND_ERR_'));
}

/** The error and what caused it, as far as that goes without coming back to where it was. */
function causesOf(error: unknown): object[] {
  const causes: object[] = [];
  let cause = error;
  while (
    typeof cause === 'object' &&
    cause !== null &&
    causes.length < MOST_CAUSES &&
    !causes.includes(cause)
  ) {
    causes.push(cause);
    cause = (cause as { cause?: unknown }).cause;
  }
  return causes;
}
