import { Catch } from '@nestjs/common';
import { DomainError, toRefusal } from '#messaging';
import { RequestRefused, ServiceUnavailable } from '#requests';
import { HttpProblemFilter, type ProblemDetails } from '#service-kit';
import { statusOf } from './statuses.js';

/** Seconds after which a retry makes sense. */
const RETRY_AFTER: Readonly<Record<string, number>> = {
  order_not_found: 1,
  busy: 1,
  expired: 1,
  unavailable: 1,
  payment_provider_unavailable: 2,
};

/** Adds what services refuse, by their codes. */
@Catch()
export class ProblemFilter extends HttpProblemFilter {
  protected override describe(error: unknown): ProblemDetails {
    if (error instanceof ServiceUnavailable) {
      // The addresses that were tried are for the log alone.
      this.logger.debug(error.message);
      return {
        status: 503,
        code: error.code,
        detail: `${error.service} does not answer; try again in a moment`,
      };
    }
    if (error instanceof DomainError) {
      const { code, message, facts } = error instanceof RequestRefused ? error : toRefusal(error);
      return { status: statusOf(code), code, detail: message, facts };
    }
    return super.describe(error);
  }

  protected override headersOf(details: ProblemDetails): Readonly<Record<string, string>> {
    const { retryAfterSeconds } = (details.facts ?? {}) as { retryAfterSeconds?: number };
    const retryAfter = RETRY_AFTER[details.code] ?? retryAfterSeconds;
    return {
      ...super.headersOf(details),
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    };
  }
}
