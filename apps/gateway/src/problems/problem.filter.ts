import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Observable, throwError } from 'rxjs';
import { describeError, DomainError, toRefusal } from '#messaging';
import { RequestRefused, ServiceUnavailable } from '#requests';
import { problem } from '#service-kit';
import { HTTP_CODES, statusOf } from './statuses.js';

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
      return { status: statusOf(code), code, detail: message, facts };
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
