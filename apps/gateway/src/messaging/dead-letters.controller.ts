import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AUDITED, type Audited } from '#contracts';
import {
  type DeadLetter,
  DeadLetterFilter,
  decideOnDeadLetters,
  discardDeadLetter,
  DomainError,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetter,
  RequestClient,
} from '#messaging';
import { AuditedServices } from '../admin/audited-services.js';
import { ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access, CurrentSession, type Session } from '../sessions/access.js';

const Cursor = z.object({ deadAt: z.iso.datetime(), id: z.uuid() });
const DeadLetterQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  status: z.enum(['dead', 'replayed', 'discarded']).default('dead'),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).transform(readCursor).optional(),
  ...DeadLetterFilter.shape,
});
const Reason = z.string().min(1).max(500);
const Discard = z.object({ reason: Reason });
/** Which letters: those that fit the filter, or, said in so many words, all. */
const chosen = {
  filter: z.strictObject(DeadLetterFilter.shape).default({}),
  all: z.boolean().default(false),
};
const Which = z.object(chosen).refine(isChosen, 'name a filter, or {"all":true}');
const WhichToDiscard = z
  .object({ ...chosen, reason: Reason })
  .refine(isChosen, 'name a filter, or {"all":true}');

/** Letters that one service decides on in one request. */
const AT_ONCE = 200;

export class DeadLetterNotFound extends DomainError {
  readonly code = 'dead_letter_not_found';
  constructor(readonly id: string) {
    super(
      `there is no dead letter ${id} that is still undecided; GET /api/admin/messaging/dead-letters lists them`,
    );
  }
}

/** Messages given up: to look for, to look at, and to decide on. */
@ApiTags('admin')
@Controller('api/admin/messaging/dead-letters')
@Access('operator')
export class DeadLettersController {
  constructor(
    private readonly services: AuditedServices,
    private readonly requests: RequestClient,
  ) {}

  /** The newest first; those undecided if not asked otherwise. All that is asked for must fit. */
  @Get()
  async list(
    @ZodQuery(DeadLetterQuery) { limit, status, cursor, ...filter }: z.output<typeof DeadLetterQuery>,
  ): Promise<{ deadLetters: DeadLetter[]; nextCursor: string | null }> {
    const lists = await this.services.askAll(listDeadLetters, { limit, status, filter, after: cursor });
    const letters = Object.values(lists).flatMap(list => list.deadLetters);
    letters.sort((a, b) => b.deadAt.localeCompare(a.deadAt) || b.id.localeCompare(a.id));
    const deadLetters = letters.slice(0, limit);
    const last = deadLetters.at(-1);
    const more = last !== undefined && (letters.length > limit || deadLetters.length === limit);
    return { deadLetters, nextCursor: more ? writeCursor(last) : null };
  }

  /** One letter, with everything it came with and every attempt's error, whatever became of it. */
  @Get(':id')
  async get(@ZodParam('id', z.uuid()) id: string): Promise<DeadLetter & { text: string }> {
    const answers = await this.services.askAll(getDeadLetter, { id });
    const letter = Object.values(answers).find(({ deadLetter }) => deadLetter !== null)?.deadLetter;
    if (letter === undefined || letter === null) throw new DeadLetterNotFound(id);
    return { ...letter, text: Buffer.from(letter.payload, 'base64').toString() };
  }

  /** Puts every undecided letter that fits back at its place in its key; `{"all":true}` for all. */
  @Post('replay')
  @HttpCode(200)
  async replayAll(
    @ZodBody(Which) { filter }: z.output<typeof Which>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ replayed: number }> {
    return { replayed: await this.decideAll('replay', filter, by, null) };
  }

  /** Gives every undecided letter that fits up for good; `{"all":true}` for all. */
  @Post('discard')
  @HttpCode(200)
  async discardAll(
    @ZodBody(WhichToDiscard) { filter, reason }: z.output<typeof WhichToDiscard>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ discarded: number }> {
    return { discarded: await this.decideAll('discard', filter, by, reason) };
  }

  /** Puts a dead letter back at its place in its key, to be handled again. */
  @Post(':id/replay')
  @HttpCode(200)
  async replay(
    @ZodParam('id', z.uuid()) id: string,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ id: string; status: 'replayed' }> {
    await this.decide(id, service => this.requests.ask(replayDeadLetter(service), { id, by }));
    return { id, status: 'replayed' };
  }

  /** Gives a dead letter up for good. It is kept, with who decided it and why. */
  @Post(':id/discard')
  @HttpCode(200)
  async discard(
    @ZodParam('id', z.uuid()) id: string,
    @ZodBody(Discard) { reason }: z.output<typeof Discard>,
    @CurrentSession() { userId: by }: Session,
  ): Promise<{ id: string; status: 'discarded' }> {
    await this.decide(id, service => this.requests.ask(discardDeadLetter(service), { id, by, reason }));
    return { id, status: 'discarded' };
  }

  /** Whichever service has the letter decides on it. @throws DeadLetterNotFound */
  private async decide(id: string, ask: (service: Audited) => Promise<{ done: boolean }>): Promise<void> {
    const answers = await Promise.allSettled(AUDITED.map(ask));
    if (answers.some(answer => answer.status === 'fulfilled' && answer.value.done)) return;
    // A service that did not answer may be the one that has it.
    const silent = answers.find(answer => answer.status === 'rejected');
    throw silent === undefined ? new DeadLetterNotFound(id) : silent.reason;
  }

  /** Every service until it has no more. What dies anew meanwhile is for another time. */
  private async decideAll(
    decision: 'replay' | 'discard',
    filter: DeadLetterFilter,
    by: string,
    reason: string | null,
  ): Promise<number> {
    const what = { decision, by, reason, filter, diedBefore: new Date().toISOString(), limit: AT_ONCE };
    const counts = await Promise.all(
      AUDITED.map(async service => {
        for (let total = 0; ;) {
          const { found, done } = await this.services.ask(decideOnDeadLetters(service), what);
          total += done;
          if (found < AT_ONCE) return total;
        }
      }),
    );
    return counts.reduce((total, count) => total + count, 0);
  }
}

function isChosen({ filter, all }: { filter: DeadLetterFilter; all: boolean }): boolean {
  return all || Object.values(filter).some(value => value !== undefined);
}

function writeCursor({ deadAt, id }: DeadLetter): string {
  return Buffer.from(JSON.stringify({ deadAt, id })).toString('base64url');
}

function readCursor(text: string, context: z.RefinementCtx): z.output<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    context.addIssue({ code: 'custom', message: 'is no cursor; take nextCursor of the page before' });
    return z.NEVER;
  }
}
