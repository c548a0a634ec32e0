import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { IDEMPOTENT, IdempotencyInterceptor } from './idempotency.interceptor.js';

/**
 * A call of this route may bring the header `Idempotency-Key`: repeated with it, it has no second effect and gets the
 * same answer. Its handler takes the ids of what it creates from `@CallIds()`.
 * @param service remembers the calls; it must import IdempotencyModule. Best the one whose effect it is: the call needs
 *   no other then
 */
export function Idempotent(service: string): MethodDecorator {
  return applyDecorators(
    SetMetadata(IDEMPOTENT, service),
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'Names the call: repeated with the same key within 24 hours, it has no second effect and gets the same answer, ' +
        'with `Idempotency-Replayed: true`. 1 to 255 printable ASCII characters, best a UUID in double quotes.',
      schema: { type: 'string', minLength: 1, maxLength: 257 },
    }),
  ) as MethodDecorator;
}
