import {
  applyDecorators,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Observable, tap } from 'rxjs';
import { Admission, AdmissionUnavailable } from '../flow/admission.js';
import { isInfrastructureError } from '../runtime/infrastructure-error.js';

export interface AdmitOptions {
  /** What happens to a call while nobody answers for the bucket: it is refused (503), or admitted without a token. */
  readonly whenAway?: 'refuse' | 'admit';
  /** A call that takes longer shows an adaptive rate that the backend has too much to do, in ms. */
  readonly slowMs?: number;
}

interface Admitted {
  readonly template: string;
  readonly whenAway: 'refuse' | 'admit';
  readonly slowMs: number;
}

const KEY = 'sluice:admit';
const PARAMETER = /\{(\w+)\}/g;
/** Codes of errors that say that the backend has too much to do. */
const OVERLOADED = new Set(['busy', 'expired', 'unavailable']);

const templates = new Set<string>();

/** Every bucket that a route of this process takes tokens of, as the routes name them. */
export function admitTemplates(): readonly string[] {
  return [...templates].sort();
}

/**
 * Admits a call only with a token of the bucket: `route:orders`, or `campaign:{id}` with a parameter of the path. Names
 * of buckets are in lower case, however a path is written. Without such a bucket every call is admitted.
 */
export function Admit(
  template: string,
  { whenAway = 'refuse', slowMs = 2_000 }: AdmitOptions = {},
): MethodDecorator {
  templates.add(template);
  const admitted: Admitted = { template, whenAway, slowMs };
  return applyDecorators(
    SetMetadata(KEY, admitted),
    UseGuards(AdmissionGuard),
    UseInterceptors(AdmissionInterceptor),
  ) as MethodDecorator;
}

interface HttpRequest {
  readonly params: Readonly<Record<string, string>>;
  /** The bucket whose token the call has. */
  admittedBy?: string;
}

function bucketOf(template: string, { params }: HttpRequest): string {
  return template.replace(PARAMETER, (_, name: string) => params[name] ?? '').toLowerCase();
}

/** Takes a token for the call, or answers TooManyRequests. */
@Injectable()
export class AdmissionGuard implements CanActivate {
  constructor(
    private readonly admission: Admission,
    private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const { template, whenAway } = this.reflector.get<Admitted>(KEY, context.getHandler());
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const bucket = bucketOf(template, request);
    const note = (hasBucket: boolean): true => {
      if (hasBucket) request.admittedBy = bucket;
      return true;
    };
    const recover = (error: unknown): true => {
      if (error instanceof AdmissionUnavailable && whenAway === 'admit') return true;
      throw error;
    };
    try {
      const hasBucket = this.admission.admit(bucket, template);
      return typeof hasBucket === 'boolean' ? note(hasBucket) : hasBucket.then(note, recover);
    } catch (error) {
      return recover(error);
    }
  }
}

/** Tells how admitted calls end: an adaptive rate follows that. */
@Injectable()
export class AdmissionInterceptor implements NestInterceptor {
  constructor(
    private readonly admission: Admission,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { admittedBy } = context.switchToHttp().getRequest<HttpRequest>();
    if (admittedBy === undefined) return next.handle();
    const { slowMs } = this.reflector.get<Admitted>(KEY, context.getHandler());
    const startedAt = performance.now();
    const finished = (isOverloaded: boolean) =>
      this.admission.finished(admittedBy, isOverloaded || performance.now() - startedAt > slowMs);
    return next.handle().pipe(
      tap({
        complete: () => finished(false),
        error: (error: unknown) => finished(isOverload(error)),
      }),
    );
  }
}

function isOverload(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return isInfrastructureError(error) || (typeof code === 'string' && OVERLOADED.has(code));
}
