import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Observable, throwError } from 'rxjs';
import { describeError, DomainError, toRefusal } from '#messaging';
import { RequestRefused, ServiceUnavailable } from '#requests';
import { problem } from '#service-kit';

/** The HTTP status of each error code. A code that is not listed is a conflict (409). */
const STATUS: Readonly<Record<string, number>> = {
  invalid_input: 400,
  invalid_request: 400,
  invalid_campaign: 422,
  invalid_callback: 400,
  invalid_token: 401,
  invalid_signature: 401,
  wrong_password: 401,
  demo_sign_in_off: 403,
  operators_only: 403,
  risk_rejected: 403,
  order_not_found: 404,
  campaign_not_found: 404,
  product_not_found: 404,
  publication_not_found: 404,
  publication_closed: 409,
  not_enough_stock: 409,
  too_much_stock: 409,
  payment_not_found: 404,
  sold_out: 409,
  limit_reached: 409,
  wrong_order_state: 409,
  dead_letter_not_found: 404,
  not_replayable: 409,
  subscription_not_found: 404,
  ended: 410,
  unsupported_media_type: 415,
  amount_mismatch: 422,
  upload_broken: 422,
  unreadable_file: 422,
  upload_stalled: 408,
  not_started: 425,
  internal: 500,
  too_many_attempts: 429,
  busy: 503,
  unavailable: 503,
  payment_provider_unavailable: 503,
  expired: 504,
};

/** Seconds after which a retry makes sense. */
const RETRY_AFTER: Readonly<Record<string, number>> = {
  order_not_found: 1,
  busy: 1,
  expired: 1,
  unavailable: 1,
  payment_provider_unavailable: 2,
};

/** Returns every error as problem details (RFC 9457): a stable `code`, what is wrong, and the facts. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): Observable<never> | void {
    if (host.getType() !== 'http') return throwError(() => error);
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) return;
    const { status, code, detail, facts } = this.describe(error);
    const retryAfter = RETRY_AFTER[code] ?? (facts as { retryAfterSeconds?: number }).retryAfterSeconds;
    if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
    if (status === 401) void reply.header('www-authenticate', 'Bearer realm="sluice"');
    void reply
      .status(status)
      .header('content-type', 'application/problem+json')
      .send(problem(status, code, detail, facts));
  }

  private describe(error: unknown): { status: number; code: string; detail: string; facts: object } {
    if (error instanceof ServiceUnavailable) {
      // The addresses that were tried are for the log alone.
      this.logger.debug(error.message);
      const detail = `${error.service} does not answer; try again in a moment`;
      return { status: 503, code: error.code, detail, facts: {} };
    }
    if (error instanceof DomainError) {
      const { code, message, facts } = error instanceof RequestRefused ? error : toRefusal(error);
      return { status: STATUS[code] ?? 409, code, detail: message, facts };
    }
    if (error instanceof HttpException) {
      const status = error.getStatus();
      const code = HTTP_CODES[status] ?? 'refused';
      return { status, code, detail: error.message, facts: {} };
    }
    // Fastify's own errors: a body that is not valid JSON, is too large, or has an unsupported type.
    const { statusCode, message } = error as { statusCode?: number; message?: string };
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      return {
        status: statusCode,
        code: HTTP_CODES[statusCode] ?? 'invalid_input',
        detail: message ?? '',
        facts: {},
      };
    }
    this.logger.error(describeError(error));
    return { status: 500, code: 'internal', detail: 'internal error; see the log of the gateway', facts: {} };
  }
}

const HTTP_CODES: Readonly<Record<number, string>> = {
  400: 'invalid_input',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'too_slow',
  413: 'too_large',
  414: 'url_too_long',
  415: 'unsupported_media_type',
  417: 'expectation_failed',
  421: 'unknown_host',
};
