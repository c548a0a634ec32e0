import { createSigner } from 'fast-jwt';
import { Agent, request } from 'undici';

/** A load at a fixed rate, whatever becomes of the calls: buyers do not wait for each other. It has its own process. */
export interface OpenLoadOrder {
  readonly url: string;
  readonly secret: string;
  readonly ratePerSecond: number;
  readonly seconds: number;
}

export interface OpenLoadReport {
  /** Successful answers. */
  readonly accepted: number;
  /** The same per second, until the last of them: of an overload, they come long after it. */
  readonly acceptedPerSecond: number;
  /** Other answers, and calls without one, by status; `none` is no answer within the patience of a buyer. */
  readonly refused: Readonly<Record<string, number>>;
  /** From the moment at which a call was due to its successful answer, in ms. */
  readonly p50: number;
  readonly p99: number;
}

/** How long a buyer waits for an answer, in ms. */
const PATIENCE_MS = 15_000;
const SHOPPERS = 20_000;
const CONNECTIONS = 1_000;

process.once('message', order => void drive(order as OpenLoadOrder));

async function drive({ url, secret, ratePerSecond, seconds }: OpenLoadOrder): Promise<void> {
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: 3_600_000 });
  const headers = Array.from({ length: SHOPPERS }, (_, n) => ({
    'content-type': 'application/json',
    authorization: `Bearer ${sign({ sub: `bench-${n}`, role: 'shopper' })}`,
  }));
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1, headersTimeout: PATIENCE_MS });
  const latencies: number[] = [];
  const refused: Record<string, number> = {};
  const calls: Promise<void>[] = [];
  let lastMs = 0;
  const startedAt = performance.now();

  const call = async (n: number) => {
    const dueAt = startedAt + (n * 1_000) / ratePerSecond;
    const status = await request(url, {
      method: 'POST',
      dispatcher: agent,
      headers: headers[n % SHOPPERS]!,
      body: '{"quantity":1}',
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).then(
      async ({ statusCode, body }) => {
        await body.dump();
        return String(statusCode);
      },
      () => 'none',
    );
    if (status === '201') {
      lastMs = performance.now() - startedAt;
      latencies.push(performance.now() - dueAt);
    } else refused[status] = (refused[status] ?? 0) + 1;
  };

  for (let due = 0; due < ratePerSecond * seconds;) {
    const now = Math.min(((performance.now() - startedAt) * ratePerSecond) / 1_000, ratePerSecond * seconds);
    for (; due < now; due += 1) calls.push(call(due));
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  await Promise.all(calls);
  latencies.sort((one, other) => one - other);
  const at = (share: number) => Math.round(latencies[Math.floor(latencies.length * share)] ?? NaN);
  const accepted = latencies.length;
  const acceptedPerSecond = (accepted * 1_000) / Math.max(lastMs, seconds * 1_000);
  process.send!(
    { accepted, acceptedPerSecond, refused, p50: at(0.5), p99: at(0.99) } satisfies OpenLoadReport,
    () => process.exit(),
  );
}
