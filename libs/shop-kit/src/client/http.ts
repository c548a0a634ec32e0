import { setTimeout } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';

/** An answer of the shop: the status, the JSON, and how long to wait if it says so. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterMs: number | undefined;
}

/** The answer to the last copy of a call. */
export interface PatientAnswer extends Answer {
  /** Whether there were other copies, whose effect is not known. */
  readonly repeated: boolean;
}

/** The shop refused the call, or gave an answer that cannot be understood. */
export class CallFailed extends Error {
  constructor(
    readonly method: string,
    readonly path: string,
    readonly answer: Answer,
  ) {
    const { code, detail } = (answer.body ?? {}) as { code?: string; detail?: string };
    const said = detail === undefined ? JSON.stringify(answer.body) : `${code}: ${detail}`;
    super(`${method} ${path} answered ${answer.status}: ${said}`);
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a call carries. */
export interface CallOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Record<string, string>;
}

/** Answers after which the same call may succeed. */
const RETRIED = new Set([429, 503, 504]);
const BREATH_MS = 200;

const Token = z.object({ token: z.string() });

export interface ClientOptions {
  /** Most connections at the same time. */
  readonly connections?: number | undefined;
  /** How long to wait for what the shop does later, or for a shop that cannot answer now, in ms. */
  readonly patienceMs?: number | undefined;
}

/** Calls over HTTP, and tokens. */
export class ShopHttp {
  readonly patienceMs: number;
  private readonly agent: Agent;
  private closing: Promise<void> | undefined;
  private operatorSession: Promise<string> | undefined;

  constructor(
    readonly url: string,
    private readonly operatorPassword: string,
    { connections = 64, patienceMs = 120_000 }: ClientOptions = {},
  ) {
    this.patienceMs = patienceMs;
    this.agent = new Agent({ connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 });
  }

  /** Calls and returns whatever the answer is. A body that is not a plain object is sent as it is. */
  async call(method: Method, path: string, { body, token, headers }: CallOptions = {}): Promise<Answer> {
    const response = await request(new URL(path, this.url), {
      method,
      dispatcher: this.agent,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: isPlain(body) ? JSON.stringify(body) : (body as string | undefined),
    });
    const text = await response.body.text();
    const retryAfter = response.headers['retry-after'];
    return {
      status: response.statusCode,
      body: text === '' ? undefined : parseJson(text),
      retryAfterMs: typeof retryAfter === 'string' ? Number(retryAfter) * 1_000 : undefined,
    };
  }

  /**
   * Calls, and retries after the time that the shop asks for when it answers 429, 503 or 504, when a copy of the
   * call is still under way, or when its gateway is down. A call whose answer was lost is repeated, so use this only for calls that are safe to repeat.
   */
  async callPatiently(method: Method, path: string, options?: CallOptions): Promise<PatientAnswer> {
    const latest = performance.now() + this.patienceMs;
    for (let repeated = false; ; repeated = true) {
      const late = performance.now() > latest;
      const answer = await this.call(method, path, options).catch((error: unknown) => {
        if (late) throw error;
        return undefined;
      });
      if (answer !== undefined && (late || !mayRetry(answer))) return { ...answer, repeated };
      await setTimeout(answer?.retryAfterMs ?? BREATH_MS);
    }
  }

  /** @throws CallFailed for any answer but success */
  async get(path: string, token?: string): Promise<unknown> {
    return this.succeed('GET', path, { token });
  }

  /** @throws CallFailed for any answer but success */
  async post(path: string, body?: unknown, token?: string): Promise<unknown> {
    return this.succeed('POST', path, { body, token });
  }

  /** A shopper's token. */
  async signIn(userId: string): Promise<string> {
    return this.newSession({ userId });
  }

  /** The operator's token, asked for once. */
  asOperator(): Promise<string> {
    return (this.operatorSession ??= this.newSession({ adminPassword: this.operatorPassword }));
  }

  /** A second call does nothing more. */
  async close(): Promise<void> {
    await (this.closing ??= this.agent.close());
  }

  private async newSession(body: object): Promise<string> {
    const answer = await this.callPatiently('POST', '/api/sessions', { body });
    if (answer.status !== 201) throw new CallFailed('POST', '/api/sessions', answer);
    return Token.parse(answer.body).token;
  }

  private async succeed(method: Method, path: string, options: CallOptions): Promise<unknown> {
    const answer = await this.call(method, path, options);
    if (answer.status >= 300) throw new CallFailed(method, path, answer);
    return answer.body;
  }
}

/** Of conflicts, only that with an earlier copy of the call says when to come back. */
function mayRetry({ status, retryAfterMs }: Answer): boolean {
  return RETRIED.has(status) || (status === 409 && retryAfterMs !== undefined);
}

function isPlain(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
