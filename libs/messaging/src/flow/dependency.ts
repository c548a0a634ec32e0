import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel';
import {
  CircuitOpen,
  DependencyUnavailable,
  isInfrastructureError,
} from '../runtime/infrastructure-error.js';

import type { OutsideAnswer } from './post-outside.js';

export interface CircuitOptions {
  /** Failures in a row that open the circuit. */
  readonly failures: number;
  /** How long it stays open before one call is let through, in ms. */
  readonly restMs: number;
}

export const DEFAULT_CIRCUIT: CircuitOptions = { failures: 5, restMs: 1_000 };

/**
 * An external service that a handler calls, behind a circuit breaker (M. Nygard, "Release It!"). After
 * failures in a row the circuit opens: the service is left alone, then tried with one call at a time until it
 * answers. A handler that meets an open circuit counts no attempt; its messages wait in the queue.
 */
export class Dependency {
  private readonly circuit: CircuitBreakerPolicy;

  constructor(
    readonly name: string,
    { failures, restMs }: CircuitOptions = DEFAULT_CIRCUIT,
  ) {
    this.circuit = circuitBreaker(handleWhen(isInfrastructureError), {
      halfOpenAfter: restMs,
      breaker: new ConsecutiveBreaker(failures),
    });
  }

  /**
   * Does the work, if the circuit permits it. An error counts against the dependency if it is an outage, such
   * as DependencyUnavailable, a timeout or a lost connection. A refusal of this one call does not count.
   * @throws CircuitOpen, a DependencyUnavailable, when the circuit is open; else what the work throws
   */
  async call<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.circuit.execute(work);
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error;
      throw new CircuitOpen(this.name, 'it failed repeatedly and is not called for a moment', {
        cause: error,
      });
    }
  }
}

/**
 * Distinguishes an outage from a refusal by the response status: 500 and above, and 429, are outages.
 * @throws DependencyUnavailable; Error for any other unsuccessful answer
 */
export function requireSuccess(
  dependency: string,
  { ok, status, location = null }: Pick<OutsideAnswer, 'ok' | 'status'> & Partial<OutsideAnswer>,
): void {
  if (status >= 500 || status === 429) throw new DependencyUnavailable(dependency, `it answered ${status}`);
  if (!ok)
    throw new Error(`${dependency} answered ${status}${location === null ? '' : `, moved to ${location}`}`);
}
