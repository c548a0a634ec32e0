import { type ArgumentsHost, Catch } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { BaseRpcExceptionFilter } from '@nestjs/microservices';
import { type Observable, throwError } from 'rxjs';
import { MessageContext } from './message-context.js';

/**
 * Passes on a delivery's error unchanged, so that the consumer can tell a bad message from an outage. All
 * other errors get Nest's default handling.
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
