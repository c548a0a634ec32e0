import { DomainError } from '../message/domain-error.js';

export interface RequestQueueLimits {
  /** Most requests of this instance on the queue. */
  readonly most: number;
  /** How often it is asked, while the queue is full, how many requests wait there, in ms. */
  readonly recountMs: number;
}

export const DEFAULT_REQUEST_QUEUE_LIMITS: RequestQueueLimits = { most: 2_000, recountMs: 250 };

/** No more requests are put on the queue: nothing of this one was done, and nothing will be. */
export class RequestQueueFull extends DomainError {
  readonly code = 'busy';
  readonly retryAfterSeconds = 1;
  constructor(readonly limit: number) {
    super(`${limit} requests already wait on the queue; try again in a moment`);
  }
}

/** No reply came in time. */
export class NoReply extends Error {
  constructor(readonly afterMs: number) {
    super(`no reply came within ${Math.round(afterMs)} ms`);
  }
}

interface Waiting<Reply> {
  readonly put: number;
  /** Undefined once nobody waits for the reply any more; the request may still be on the queue. */
  answer: ((reply: Reply) => void) | undefined;
}

/**
 * The asking side of requests that go through a queue: Request-Reply with Correlation Identifier and Return Address
 * (G. Hohpe, B. Woolf, "Enterprise Integration Patterns"). The requests wait on the queue and not at whoever works them
 * off, who takes them at its own pace and drops those whose deadline is past.
 *
 * Admission is bounded: a request counts until its reply has come or the queue is known to be past it, not only while
 * its asker waits. So the queue does not grow while nobody works it off.
 */
export class RequestQueue<Reply> {
  /** The oldest first. */
  private readonly unanswered = new Map<string, Waiting<Reply>>();
  private recountedAt = -Infinity;

  /** @param backlog how many requests wait on the queue, whoever put them there */
  constructor(
    private readonly backlog: () => Promise<number>,
    private readonly limits: RequestQueueLimits = DEFAULT_REQUEST_QUEUE_LIMITS,
  ) {}

  /** Requests without a reply. */
  get size(): number {
    return this.unanswered.size;
  }

  /**
   * Puts a request on the queue and waits for its reply.
   * @param id correlates the two; a request that is repeated has the same
   * @param put resolves when the request is on the queue
   * @param waitMs how long to wait, in ms: longer than the request's own deadline
   * @throws RequestQueueFull at once; NoReply; what `put` throws, and then the request may be on the queue or not
   */
  async ask(id: string, put: () => Promise<void>, waitMs: number): Promise<Reply> {
    const { most } = this.limits;
    if (this.size >= most && !this.unanswered.has(id)) {
      void this.recount();
      throw new RequestQueueFull(most);
    }
    // One that is repeated is the newest.
    this.unanswered.delete(id);
    const request: Waiting<Reply> = { put: performance.now(), answer: undefined };
    this.unanswered.set(id, request);
    let late: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Reply>((resolve, reject) => {
        request.answer = resolve;
        late = setTimeout(() => reject(new NoReply(waitMs)), waitMs);
        put().catch(reject);
      });
    } finally {
      clearTimeout(late);
      request.answer = undefined;
    }
  }

  /** Takes a reply. Nobody may wait for it any more. */
  reply(id: string, reply: Reply): void {
    const waiting = this.unanswered.get(id);
    this.unanswered.delete(id);
    waiting?.answer?.(reply);
  }

  /**
   * Forgets requests that nobody waits for and that are no longer on the queue: their replies were lost. As many as wait
   * there may still be answered, and those are the newest.
   */
  private async recount(): Promise<void> {
    const now = performance.now();
    if (now - this.recountedAt < this.limits.recountMs) return;
    this.recountedAt = now;
    const waiting = await this.backlog().catch(() => Infinity);
    const given = [...this.unanswered].filter(([, { answer, put }]) => answer === undefined && put < now);
    for (const [id] of given.slice(0, Math.max(0, given.length - waiting))) this.unanswered.delete(id);
  }
}
