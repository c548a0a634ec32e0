import { AsyncLocalStorage } from 'node:async_hooks';
import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

const delivering = new AsyncLocalStorage<true>();

/** Runs a handler so that DeliveryErrorFilter gets its errors. */
export function asDelivery<T>(handle: () => T): T {
  return delivering.run(true, handle);
}

/** Every error during a delivery is an instance of it, and no other is: Nest chooses filters by `instanceof`. */
abstract class ErrorOfDelivery {
  static [Symbol.hasInstance](): boolean {
    return delivering.getStore() === true;
  }
}

/**
 * Passes on a handler's error unchanged, so that the consumer can tell a bad message from an outage. Errors of other
 * servers of the app, HTTP among them, reach the app's own filters.
 */
@Catch(ErrorOfDelivery)
export class DeliveryErrorFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}
