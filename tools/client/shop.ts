import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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

/** What a call carries. */
export interface CallOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Record<string, string>;
}

/** Answers after which the same call may succeed. */
const RETRIED = new Set([429, 503, 504]);
/** How often to retry a shop that cannot answer now before giving up. */
const PATIENCE = 600;
const BREATH_MS = 200;

const Running = z.object({ url: z.url(), sandbox: z.url() });
const Token = z.object({ token: z.string() });

/** The shop as its clients see it: over HTTP, and nothing else. */
export class Shop {
  private readonly agent: Agent;
  private operator: Promise<string> | undefined;

  constructor(
    readonly url: string,
    private readonly operatorPassword: string,
    connections = 64,
  ) {
    this.agent = new Agent({ connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 });
  }

  /**
   * The shop that runs on the data directory, or at `SLUICE_URL`.
   * @throws when none runs, with what to do
   */
  static async find(env: NodeJS.ProcessEnv = process.env, connections?: number): Promise<Shop> {
    const dataDir = resolve(env['SLUICE_DATA_DIR'] ?? '.sluice');
    const read = async (file: string) => JSON.parse(await readFile(join(dataDir, file), 'utf8')) as unknown;
    try {
      const url = env['SLUICE_URL'] ?? Running.parse(await read('running.json')).url;
      const password =
        env['SLUICE_OPERATOR_PASSWORD'] ??
        z.object({ operatorPassword: z.string() }).parse(await read('secrets.json')).operatorPassword;
      const shop = new Shop(url, password, connections);
      await shop.get('/health/live');
      return shop;
    } catch {
      const { SLUICE_URL } = env;
      throw new Error(
        SLUICE_URL === undefined
          ? `no shop runs on ${dataDir}; start one with npm start, or set SLUICE_URL and SLUICE_OPERATOR_PASSWORD`
          : `no shop answers at SLUICE_URL ${SLUICE_URL}`,
      );
    }
  }

  /** Calls and returns whatever the answer is. A body that is not a plain object is sent as it is. */
  async call(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    { body, token, headers }: CallOptions = {},
  ): Promise<Answer> {
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
   * Calls, and retries after the time that the shop asks for when it answers 429, 503 or 504, or when its gateway
   * is down. A call whose answer was lost is repeated, so use this only for calls that are safe to repeat.
   */
  async callPatiently(method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<PatientAnswer> {
    for (let asked = 0; ; asked += 1) {
      const answer = await this.call(method, path, options).catch((error: unknown) => {
        if (asked >= PATIENCE) throw error;
        return undefined;
      });
      if (answer !== undefined && (!RETRIED.has(answer.status) || asked >= PATIENCE))
        return { ...answer, repeated: asked > 0 };
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

  async signIn(userId: string): Promise<string> {
    return this.newSession({ userId });
  }

  /** The operator's token, asked for once. */
  asOperator(): Promise<string> {
    return (this.operator ??= this.newSession({ adminPassword: this.operatorPassword }));
  }

  async close(): Promise<void> {
    await this.agent.close();
  }

  private async newSession(body: object): Promise<string> {
    const answer = await this.callPatiently('POST', '/api/sessions', { body });
    if (answer.status !== 201) throw new CallFailed('POST', '/api/sessions', answer);
    return Token.parse(answer.body).token;
  }

  private async succeed(method: 'GET' | 'POST', path: string, options: CallOptions): Promise<unknown> {
    const answer = await this.call(method, path, options);
    if (answer.status >= 300) throw new CallFailed(method, path, answer);
    return answer.body;
  }
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
