import { type ArgumentsHost, Catch } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { BaseRpcExceptionFilter } from '@nestjs/microservices';
import { type Observable, throwError } from 'rxjs';
import { MessageContext } from './message-context.js';

/**
 * Passes the error of a delivery on as it is, so that the consumer can tell a bad message from an outage. Everything
 * else is handled as Nest does by default.
 */
@Catch()
export class DeliveryErrorFilter extends BaseExceptionFilter {
  private readonly rpc = new BaseRpcExceptionFilter();

  override catch(error: unknown, host: ArgumentsHost): Observable<unknown> | void {
    if (host.getType() !== 'rpc') return super.catch(error, host);
    if (host.switchToRpc().getContext<unknown>() instanceof MessageContext) return throwError(() => error);
    return this.rpc.catch(error as Error, host);
  }
}
