import { Injectable, Logger } from '@nestjs/common';
import { describeError, type ReplyOf, type RequestDefinition, type RequestOf } from '#messaging';
import { RequestClient, RequestNotHandled, RequestRefused, ServiceUnavailable } from '#requests';
import { ServiceDirectory } from './service-directory.js';

/** The services that did not answer: their data is missing from the result. */
export interface Unanswered {
  readonly unanswered: readonly string[];
}

export interface AnswerOf<Reply> {
  readonly service: string;
  readonly reply: Reply;
}

/** The replies of the services that answered. */
export interface Answers<Reply> extends Unanswered {
  readonly answers: readonly AnswerOf<Reply>[];
}

/** Sends the same request to every known service. The request may be sent twice. */
@Injectable()
export class AllServices {
  private readonly logger = new Logger(AllServices.name);

  constructor(
    private readonly requests: RequestClient,
    private readonly directory: ServiceDirectory,
  ) {}

  /**
   * A service that does not answer is listed, and the others are still reported. A service that does not know
   * the request is left out.
   * @throws RequestRefused when a service refuses the question itself
   * @param deadlineMs when to give up on a service, in ms
   * @param services which services to ask; all known ones if left out
   */
  async ask<D extends RequestDefinition>(
    question: (service: string) => D,
    data: RequestOf<D>,
    deadlineMs?: number,
    services: readonly string[] = this.directory.services,
  ): Promise<Answers<ReplyOf<D>>> {
    const options = { repeatable: true, deadlineMs };
    const answers: AnswerOf<ReplyOf<D>>[] = [];
    const unanswered: string[] = [];
    const askEach = services.map(async service => {
      try {
        answers.push({ service, reply: await this.requests.ask(question(service), data, options) });
      } catch (error) {
        if (error instanceof RequestNotHandled) return;
        // Refused by its contract: the question is wrong, and nobody is away.
        if (error instanceof RequestRefused && error.code !== 'internal') throw error;
        if (!(error instanceof ServiceUnavailable)) this.logger.error(describeError(error));
        unanswered.push(service);
      }
    });
    await Promise.all(askEach);
    return {
      answers: answers.sort((a, b) => (a.service < b.service ? -1 : 1)),
      unanswered: unanswered.sort(),
    };
  }

  /** @throws RequestRefused, RequestNotHandled, ServiceUnavailable */
  async askOne<D extends RequestDefinition>(question: D, data: RequestOf<D>): Promise<ReplyOf<D>> {
    return this.requests.ask(question, data, { repeatable: true });
  }

  /** The service that owns a subscription: the subscription's name starts with the service's. */
  ownerOf(subscription: string): string | undefined {
    // The longest matching name: `order` does not own a subscription of `order-archive`.
    return this.directory.services
      .filter(service => subscription.startsWith(`${service}.`))
      .sort((a, b) => b.length - a.length)[0];
  }

  get names(): readonly string[] {
    return this.directory.services;
  }
}
