import { createHash, type Hash } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  type CallHandler,
  type ExecutionContext,
  HttpException,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { KeptAnswer, KeyedCall, Settled } from '#idempotency';
import { DomainError, toRefusal, uuidv7 } from '#messaging';
import { RequestRefused } from '#requests';
import { statusOf } from '../problems/statuses.js';
import { CallRegister } from './call-register.js';
import { fingerprintOf, keyOf, scopeOf } from './call.js';
import { idsFrom } from './new-ids.js';

/** The metadata of a route: the service that remembers its keyed calls. */
export const IDEMPOTENT = 'sluice.idempotent';

/** How often a claim is renewed while its call is under way, in ms: three times before it lapses. */
const RENEW_MS = 5_000;

/** Statuses that decide a call. */
const DECIDED = new Set([403, 409, 410, 422]);

class CallUnderWay extends DomainError {
  readonly code = 'call_under_way';
  readonly retryAfterSeconds = 1;
  constructor() {
    super('a call with this Idempotency-Key is under way; repeat it in a moment to get its answer');
  }
}

class KeyOfAnotherCall extends DomainError {
  readonly code = 'idempotency_key_reused';
  constructor() {
    super('this Idempotency-Key came with another call before; choose a new key for a new call');
  }
}

/**
 * Gives a call that is repeated with its key the answer of the first, and lets it have no second effect: the header
 * `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header). A key counts for one caller on one route, and is
 * kept for a day. What was not decided is not kept: it may be repeated with the same key, and is the same call then.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly register: CallRegister,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const key = keyOf(request.headers['idempotency-key']);
    if (key === undefined) return next.handle();

    const service = this.reflector.get<string>(IDEMPOTENT, context.getHandler());
    const streamed = request.body instanceof Readable ? hashing(request, request.body) : undefined;
    const call = {
      key: scopeOf(request, key),
      fingerprint: fingerprintOf(request, streamed !== undefined),
      claim: uuidv7(),
      seed: uuidv7(),
    };
    const begun = await this.register.begin(service, call);
    switch (begun.state) {
      case 'under_way':
        throw new CallUnderWay();
      case 'another_call':
        throw new KeyOfAnotherCall();
      case 'answered':
        if (streamed !== undefined && !(await isSame(request.body as Readable, streamed, begun.answer)))
          throw new KeyOfAnotherCall();
        void http.getResponse<FastifyReply>().header('idempotency-replayed', 'true');
        return from([replay(begun.answer)]);
      case 'claimed':
        request.newIds = idsFrom(begun.seed, begun.again);
        return from(this.make(service, call, next, streamed));
    }
  }

  /** Makes the call, and keeps its answer if it is one. */
  private async make(
    service: string,
    { key, claim }: KeyedCall,
    next: CallHandler,
    streamed: Hash | undefined,
  ): Promise<unknown> {
    const settle = (as: Settled['as'], answer?: KeptAnswer) =>
      this.register.settle(service, { key, claim, as, ...(answer !== undefined && { answer }) });
    const renewing = setInterval(() => void settle('under_way'), RENEW_MS);
    try {
      const body: unknown = await lastValueFrom(next.handle());
      clearInterval(renewing);
      await settle('answered', { body, ...(streamed !== undefined && { streamed: streamed.digest('hex') }) });
      return body;
    } catch (error) {
      clearInterval(renewing);
      const outcome = outcomeOf(error);
      await (typeof outcome === 'string' ? settle(outcome) : settle('answered', outcome));
      throw error;
    }
  }
}

/**
 * What becomes of a call that failed. A refusal that decides it is its answer. One that says that it was not understood, or
 * has to wait, had no effect: the call is forgotten. Anything else may have had its effect: made again, it is the same call.
 */
function outcomeOf(error: unknown): KeptAnswer | 'forgotten' | 'lapsed' {
  const status = error instanceof HttpException ? error.getStatus() : undefined;
  if (!(error instanceof DomainError)) return status !== undefined && status < 500 ? 'forgotten' : 'lapsed';
  if (DECIDED.has(statusOf(error.code))) {
    const { code, message, facts } = error instanceof RequestRefused ? error : toRefusal(error);
    return { refusal: { code, message, facts } };
  }
  return statusOf(error.code) < 500 || error.code === 'busy' ? 'forgotten' : 'lapsed';
}

function replay(answer: KeptAnswer): unknown {
  if ('refusal' in answer) throw new RequestRefused(answer.refusal);
  return answer.body;
}

/** Puts a hash between a streamed body and whoever reads it. */
function hashing(request: FastifyRequest, body: Readable): Hash {
  const hash = createHash('sha256');
  const through = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  // Its errors reach the reader: `pipeline` destroys `through` with them.
  request.body = pipeline(body, through, () => undefined);
  return hash;
}

/** Whether a streamed body is the one that was answered. */
async function isSame(body: Readable, hash: Hash, answer: KeptAnswer): Promise<boolean> {
  if ('refusal' in answer) return true;
  await finished(body.resume());
  return hash.digest('hex') === answer.streamed;
}
