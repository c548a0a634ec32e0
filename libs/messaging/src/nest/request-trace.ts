import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { runInTrace } from '../message/trace.js';
import { MessageContext } from './message-context.js';
import type { RequestPacket } from './request-pipe.js';

/** Runs a request's handler in the trace that the request came with. Deliveries have theirs from the consumer. */
export class RequestTrace implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (
      context.getType() !== 'rpc' ||
      context.switchToRpc().getContext<unknown>() instanceof MessageContext
    ) {
      return next.handle();
    }
    const { traceparent } = context.switchToRpc().getData<RequestPacket>() ?? {};
    return new Observable(subscriber => runInTrace(traceparent, () => next.handle().subscribe(subscriber)));
  }
}
