import { codeOf, SqlState } from './sql-state.js';

/** SQLSTATE classes and codes that say the database is away, overloaded or lost a race, not that the data is bad. */
const PASSING = /^(08|53|57|58|40001|40P01|25006|55P03|XX000)/;
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
  // Of RequestClient: another service does not answer.
  'unavailable',
]);

/** Errors that hide their cause: a query given up after its time, a connection lost in the middle of a transaction. */
const PASSING_NAMES = new Set([
  'TimeoutError',
  'QueryRunnerAlreadyReleasedError',
  'QueryRunnerProviderAlreadyReleasedError',
]);

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

/** Whether an error is the world's fault: trying the same again later can succeed, halving the batch cannot help. */
export function isInfrastructureError(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = codeOf(cause);
    if (PASSING_NAMES.has(cause.name) || cause instanceof DependencyUnavailable) return true;
    if (
      code === SqlState.staleOwner ||
      (code !== undefined &&
        (NETWORK.has(code) || code.startsWith('UND_ERR_') || (/^\w{5}$/.test(code) && PASSING.test(code))))
    )
      return true;
    if (
      /connection terminated|connection ended|client has encountered a connection error|timeout exceeded when trying to connect/i.test(
        cause.message,
      )
    )
      return true;
  }
  return false;
}

/** Another instance has the partition now: no trouble, only no business of ours. */
export function isStaleOwner(error: unknown): boolean {
  return codeOf(error) === SqlState.staleOwner;
}
