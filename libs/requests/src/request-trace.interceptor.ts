import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { runInTrace } from '#messaging';
import type { RequestPacket } from './request-pipe.js';

/** Runs a request's handler in the trace that the request came with. */
export class RequestTraceInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { traceparent } = context.switchToRpc().getData<RequestPacket | undefined>() ?? {};
    return new Observable(subscriber => runInTrace(traceparent, () => next.handle().subscribe(subscriber)));
  }
}
