import { UseFilters, UseInterceptors } from '@nestjs/common';
import { MessagePattern, Payload, Transport } from '@nestjs/microservices';
import type { ReplyOf, RequestDefinition, RequestOf } from '#messaging';
import { ReplyInterceptor } from './reply.interceptor.js';
import { RequestErrorFilter } from './request-error.filter.js';
import { RequestPipe } from './request-pipe.js';
import { RequestTraceInterceptor } from './request-trace.interceptor.js';

type MethodOf<Handler> = <H extends Handler>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<H>,
) => void;

/**
 * Answers a request with the method's result. The method gets the parsed request and runs in the trace that
 * the request came with. A DomainError that it throws reaches the caller as a refusal.
 */
export function HandleRequest<D extends RequestDefinition>(
  definition: D,
): MethodOf<(request: RequestOf<D>) => Promise<ReplyOf<D>> | ReplyOf<D>> {
  return (target, key, descriptor) => {
    Payload(new RequestPipe(definition))(target, key, 0);
    const decorators = [
      UseFilters(new RequestErrorFilter()),
      UseInterceptors(new RequestTraceInterceptor(), new ReplyInterceptor(definition)),
      MessagePattern(definition.type, Transport.TCP),
    ] as MethodDecorator[];
    for (const decorate of decorators) decorate(target, key, descriptor as PropertyDescriptor);
  };
}
