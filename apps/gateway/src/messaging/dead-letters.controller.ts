import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { type DeadLetter, DeadLetterFilter, DomainError, Id, Instant, Text } from '#messaging';
import {
  decideOnDeadLetters,
  discardDeadLetter,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetter,
  RequestClient,
  RequestNotHandled,
  ServiceUnavailable,
} from '#requests';
import { AllServices, type Unanswered } from '../services/all-services.js';
import { Problems } from '../problems/document-problems.js';
import { AnyCaseId, ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access, CurrentSession, type Session } from '../sessions/access.js';

const Cursor = z.object({ deadAt: Instant, id: Id });
const DeadLetterQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  status: z.enum(['dead', 'replayed', 'discarded']).default('dead'),
  /** `nextCursor` of the previous page. */
  cursor: z.string().max(200).transform(readCursor).optional(),
  ...DeadLetterFilter.shape,
});
const Reason = Text.min(1).max(500);
const Discard = z.object({ reason: Reason });
/** The letters that match a filter or, if stated explicitly, all letters. */
const Selection = z.strictObject({
  filter: DeadLetterFilter.refine(isNamed, 'is empty').optional(),
  all: z.literal(true).optional(),
});
const EITHER = 'name a filter, or {"all":true}';
const SelectionToReplay = Selection.refine(isEither, EITHER);
const SelectionToDiscard = Selection.extend({ reason: Reason }).refine(isEither, EITHER);

/** Letters that a service decides on in one request. */
const LETTERS_A_REQUEST = 200;

export class DeadLetterNotFound extends DomainError {
  readonly code = 'dead_letter_not_found';
  constructor(
    readonly id: string,
    which = '',
  ) {
    super(`there is no dead letter ${id}${which}; GET /api/admin/messaging/dead-letters lists them`);
  }
}

type Decision =
  | { decision: 'replay'; by: string; filter: DeadLetterFilter }
  | { decision: 'discard'; by: string; filter: DeadLetterFilter; reason: string };

/** Messages that were given up: search them, inspect them, replay or discard them. */
@ApiTags('admin')
@Controller('api/admin/messaging/dead-letters')
@Access('operator')
export class DeadLettersController {
  constructor(
    private readonly services: AllServices,
    private readonly requests: RequestClient,
  ) {}

  /** Newest first; undecided letters by default. A letter must match every condition. */
  @Get()
  async list(
    @ZodQuery(DeadLetterQuery) { limit, status, cursor, ...filter }: z.output<typeof DeadLetterQuery>,
  ): Promise<{ deadLetters: DeadLetter[]; nextCursor: string | null } & Unanswered> {
    const query = { limit, status, filter, after: cursor };
    const { answers, unanswered } = await this.services.ask(listDeadLetters, query);
    const letters = answers.flatMap(({ reply }) => reply.deadLetters);
    letters.sort((a, b) => b.deadAt.localeCompare(a.deadAt) || b.id.localeCompare(a.id));
    const deadLetters = letters.slice(0, limit);
    const last = deadLetters.length === limit ? deadLetters.at(-1) : undefined;
    return { deadLetters, nextCursor: last === undefined ? null : writeCursor(last), unanswered };
  }

  /** One letter, whatever its status, with its whole message and the error of every attempt. */
  @Get(':id')
  @Problems('dead_letter_not_found')
  async get(@ZodParam('id', AnyCaseId) id: string): Promise<DeadLetter & { text: string }> {
    const { answers, unanswered } = await this.services.ask(getDeadLetter, { id });
    const letter = answers.map(({ reply }) => reply.deadLetter).find(found => found !== null);
    // A service that did not answer may be the one that has it.
    if (letter === undefined && unanswered.length > 0)
      throw new ServiceUnavailable(unanswered.join(', '), 'it may have the letter');
    if (letter === undefined) throw new DeadLetterNotFound(id);
    return { ...letter, text: Buffer.from(letter.payload, 'base64').toString() };
  }

  /** Puts every matching undecided letter back in its key's order; `{"all":true}` matches all letters. */
  @Post('replay')
  @HttpCode(200)
  async replayAll(
    @ZodBody(SelectionToReplay) { filter = {} }: z.output<typeof SelectionToReplay>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ replayed: number; notReplayable: number }> {
    const { done, failed } = await this.decideAll({ decision: 'replay', by, filter });
    return { replayed: done, notReplayable: failed };
  }

  /** Discards every matching undecided letter for good; `{"all":true}` matches all letters. */
  @Post('discard')
  @HttpCode(200)
  async discardAll(
    @ZodBody(SelectionToDiscard) { filter = {}, reason }: z.output<typeof SelectionToDiscard>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ discarded: number }> {
    const { done } = await this.decideAll({ decision: 'discard', by, reason, filter });
    return { discarded: done };
  }

  /** Puts a dead letter back in its key's order, to be handled again. */
  @Post(':id/replay')
  @Problems('dead_letter_not_found', 'not_replayable')
  @HttpCode(200)
  async replay(
    @ZodParam('id', AnyCaseId) id: string,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ id: string; status: 'replayed' }> {
    await this.decide(id, service => this.requests.ask(replayDeadLetter(service), { id, by }));
    return { id, status: 'replayed' };
  }

  /** Discards a dead letter for good. It is kept, with who discarded it and why. */
  @Post(':id/discard')
  @Problems('dead_letter_not_found')
  @HttpCode(200)
  async discard(
    @ZodParam('id', AnyCaseId) id: string,
    @ZodBody(Discard) { reason }: z.output<typeof Discard>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ id: string; status: 'discarded' }> {
    await this.decide(id, service => this.requests.ask(discardDeadLetter(service), { id, by, reason }));
    return { id, status: 'discarded' };
  }

  /** The service that has the letter decides on it. @throws DeadLetterNotFound */
  private async decide(id: string, ask: (service: string) => Promise<{ done: boolean }>): Promise<void> {
    const outcomes = await Promise.allSettled(this.services.names.map(ask));
    if (outcomes.some(outcome => outcome.status === 'fulfilled' && outcome.value.done)) return;
    // A service that did not answer may be the one that has it; one that refused has it.
    const failed = outcomes.find(
      outcome => outcome.status === 'rejected' && !(outcome.reason instanceof RequestNotHandled),
    );
    throw failed?.status === 'rejected'
      ? failed.reason
      : new DeadLetterNotFound(id, ' that is still undecided');
  }

  /**
   * Asks each service until it has no more letters. One that dies again meanwhile is left for next time.
   * @throws ServiceUnavailable when a service was away; the others have decided, and a retry does the rest
   */
  private async decideAll(decision: Decision): Promise<Decided> {
    const { subscription } = decision.filter;
    const owner = subscription === undefined ? undefined : this.services.ownerOf(subscription);
    const asked = subscription === undefined ? this.services.names : owner === undefined ? [] : [owner];
    const answers = await Promise.allSettled(asked.map(service => this.decideAllOf(service, decision)));
    const total = { done: 0, failed: 0 };
    for (const answer of answers) {
      if (answer.status === 'rejected') {
        if (answer.reason instanceof RequestNotHandled) continue;
        throw answer.reason;
      }
      total.done += answer.value.done;
      total.failed += answer.value.failed;
    }
    return total;
  }

  private async decideAllOf(service: string, decision: Decision): Promise<Decided> {
    const total = { done: 0, failed: 0 };
    for (let diedBefore: string | undefined; ;) {
      const request = { ...decision, diedBefore, skip: total.failed, limit: LETTERS_A_REQUEST };
      const answer = await this.services.askOne(decideOnDeadLetters(service), request);
      total.done += answer.done;
      total.failed += answer.failed;
      if (answer.found < LETTERS_A_REQUEST) return total;
      diedBefore = answer.diedBefore;
    }
  }
}

/** The minimum number of letters decided on, and the number that could not be. */
interface Decided {
  readonly done: number;
  readonly failed: number;
}

function isNamed(filter: DeadLetterFilter): boolean {
  return Object.values(filter).some(value => value !== undefined);
}

function isEither({ filter, all }: z.output<typeof Selection>): boolean {
  return (filter === undefined) !== (all === undefined);
}

function writeCursor({ deadAt, id }: DeadLetter): string {
  return Buffer.from(JSON.stringify({ deadAt, id })).toString('base64url');
}

function readCursor(text: string, context: z.RefinementCtx): z.output<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    context.addIssue({ code: 'custom', message: 'is not a cursor; use nextCursor of the previous page' });
    return z.NEVER;
  }
}
