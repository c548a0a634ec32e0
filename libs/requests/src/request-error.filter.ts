import { Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { describeError, DomainError, isInfrastructureError, toRefusal } from '#messaging';

/**
 * What a caller gets when its request fails: a refusal with its code and facts when the error is a DomainError, else
 * `unavailable` for an outage, where asking again can help, and `internal` for anything else. The error itself goes
 * to the log.
 */
@Catch()
export class RequestErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(RequestErrorFilter.name);

  catch(error: unknown): Observable<never> {
    if (error instanceof DomainError) return throwError(() => toRefusal(error));
    this.logger.error(describeError(error));
    const code = isInfrastructureError(error) ? 'unavailable' : 'internal';
    return throwError(() => ({ code, message: 'the service failed on this request; try again', facts: {} }));
  }
}
