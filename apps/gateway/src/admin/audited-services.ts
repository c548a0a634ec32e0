import { Injectable } from '@nestjs/common';
import { AUDITED, type Audited } from '#contracts';
import { type ReplyOf, RequestClient, type RequestDefinition, type RequestOf } from '#messaging';

/** Longer than other requests: an audit asks every receipt. */
const DEADLINE_MS = 30_000;

/** The services that keep books and queues. */
@Injectable()
export class AuditedServices {
  constructor(private readonly requests: RequestClient) {}

  /** The same question to each of them, one that may be asked twice. */
  async askAll<D extends RequestDefinition>(
    question: (service: Audited) => D,
    data: RequestOf<D>,
  ): Promise<Record<Audited, ReplyOf<D>>> {
    const ask = async (service: Audited) => [service, await this.ask(question(service), data)] as const;
    return Object.fromEntries(await Promise.all(AUDITED.map(ask))) as Record<Audited, ReplyOf<D>>;
  }

  async ask<D extends RequestDefinition>(question: D, data: RequestOf<D>): Promise<ReplyOf<D>> {
    return this.requests.ask(question, data, { repeatable: true, deadlineMs: DEADLINE_MS });
  }
}
