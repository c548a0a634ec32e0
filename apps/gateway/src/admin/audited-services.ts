import { Injectable } from '@nestjs/common';
import { AUDITED, type Audited } from '#contracts';
import { type ReplyOf, type RequestDefinition, type RequestOf } from '#messaging';
import { RequestClient } from '#requests';

/** An audit asks every receipt, which takes seconds where there are millions. */
const AUDIT_MS = 30_000;

/** Services that are away: what they have is not in the answer. */
export interface Unanswered {
  readonly unanswered: readonly Audited[];
}

/** What those services said that answered. */
interface Answers<Reply> extends Unanswered {
  readonly replies: readonly Reply[];
}

/** The services that keep books and queues. Whatever they are asked here may be asked twice. */
@Injectable()
export class AuditedServices {
  constructor(private readonly requests: RequestClient) {}

  /** The same question to each of them. @throws ServiceUnavailable when one does not answer */
  async askAll<D extends RequestDefinition>(
    question: (service: Audited) => D,
    data: RequestOf<D>,
  ): Promise<Record<Audited, ReplyOf<D>>> {
    const options = { repeatable: true, deadlineMs: AUDIT_MS };
    const ask = async (service: Audited) =>
      [service, await this.requests.ask(question(service), data, options)] as const;
    return Object.fromEntries(await Promise.all(AUDITED.map(ask))) as Record<Audited, ReplyOf<D>>;
  }

  /** The same question to each; one that is away keeps nobody from what the others know. */
  async askThose<D extends RequestDefinition>(
    question: (service: Audited) => D,
    data: RequestOf<D>,
  ): Promise<Answers<ReplyOf<D>>> {
    const asked = await Promise.allSettled(AUDITED.map(service => this.ask(question(service), data)));
    return {
      replies: asked.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : [])),
      unanswered: AUDITED.filter((_, n) => asked[n]!.status === 'rejected'),
    };
  }

  /** @throws RequestRefused, ServiceUnavailable */
  async ask<D extends RequestDefinition>(question: D, data: RequestOf<D>): Promise<ReplyOf<D>> {
    return this.requests.ask(question, data, { repeatable: true });
  }
}
