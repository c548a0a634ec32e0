import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Observable, throwError } from 'rxjs';
import { describeError } from '#messaging';
import { problem } from './problem.js';

/** The codes of errors that have a status and no code of their own. */
export const HTTP_CODES: Readonly<Record<number, string>> = {
  400: 'invalid_input',
  401: 'unauthorized',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'too_slow',
  409: 'conflict',
  413: 'too_large',
  414: 'url_too_long',
  415: 'unsupported_media_type',
  417: 'expectation_failed',
  421: 'unknown_host',
};

/** An error as a caller sees it. */
export interface ProblemDetails {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly facts?: object;
}

/** Answers every error over HTTP with problem details (RFC 9457): a stable `code`, what is wrong, and the facts. */
@Catch()
export class HttpProblemFilter implements ExceptionFilter {
  protected readonly logger = new Logger(HttpProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): Observable<never> | void {
    if (host.getType() !== 'http') return throwError(() => error);
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) return;
    const { status, code, detail, facts } = this.describe(error);
    for (const [name, value] of Object.entries(this.headersOf({ status, code, detail, facts })))
      void reply.header(name, value);
    void reply
      .status(status)
      .header('content-type', 'application/problem+json')
      .send(problem(status, code, detail, facts));
  }

  protected describe(error: unknown): ProblemDetails {
    if (error instanceof HttpException) {
      const status = error.getStatus();
      return { status, code: HTTP_CODES[status] ?? 'refused', detail: error.message };
    }
    // Fastify's own errors: a body that is not valid JSON, is too large, or has an unsupported type.
    const { statusCode, message } = error as { statusCode?: number; message?: string };
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
      return { status: statusCode, code: HTTP_CODES[statusCode] ?? 'invalid_input', detail: message ?? '' };
    this.logger.error(describeError(error));
    return { status: 500, code: 'internal', detail: 'internal error; see the log of the service' };
  }

  /** Headers besides the content type. */
  protected headersOf({ status }: ProblemDetails): Readonly<Record<string, string>> {
    return status === 401 ? { 'www-authenticate': 'Bearer realm="sluice"' } : {};
  }
}
