import { type ArgumentsHost, Catch, Logger } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { type Observable, throwError } from 'rxjs';
import { DomainError, toRefusal } from '../message/domain-error.js';
import { isInfrastructureError } from '../consumer/infrastructure-error.js';
import { MessageContext } from './message-context.js';

/**
 * Deliveries: hands the error on as it is, so that the consumer can tell bad data from a bad day.
 * Requests: a refusal crosses the border with its code and facts, anything else as `internal` or `unavailable`.
 * HTTP: as Nest does it.
 */
@Catch()
export class MessagingErrorFilter extends BaseExceptionFilter {
  private readonly logger = new Logger(MessagingErrorFilter.name);

  override catch(error: unknown, host: ArgumentsHost): Observable<never> | void {
    if (host.getType() !== 'rpc') return super.catch(error, host);
    if (host.switchToRpc().getContext() instanceof MessageContext) return throwError(() => error);
    if (error instanceof DomainError) return throwError(() => toRefusal(error));
    this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    const code = isInfrastructureError(error) ? 'unavailable' : 'internal';
    return throwError(() => ({ code, message: 'the service failed on this request; try again', facts: {} }));
  }
}
