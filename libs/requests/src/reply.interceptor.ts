import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import { proveJson, type RequestDefinition } from '#messaging';

/** Refuses a reply that would not reach the caller as it is: a defect of the service, and told there. */
export class ReplyInterceptor implements NestInterceptor {
  constructor(private readonly definition: RequestDefinition) {}

  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(tap(reply => proveJson(this.definition.reply, reply)));
  }
}
