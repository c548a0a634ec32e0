import autocannon from 'autocannon';
import { createSigner } from 'fast-jwt';

/** What the load is: told by the bench, in a process of its own so that it measures and does not serve. */
export interface LoadOrder {
  readonly url: string;
  readonly secret: string;
  readonly shoppers: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadReport {
  /** Answers of success a second. */
  readonly accepted: number;
  readonly refused: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
}

process.once('message', order => void drive(order as LoadOrder));

async function drive({ url, secret, shoppers, connections, seconds }: LoadOrder): Promise<void> {
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: 3_600_000 });
  const tokens = Array.from(
    { length: shoppers },
    (_, n) => `Bearer ${sign({ sub: `bench-${n}`, role: 'shopper' })}`,
  );
  let next = 0;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    method: 'POST',
    body: '{"quantity":1}',
    requests: [
      {
        setupRequest: request => {
          next = (next + 1) % tokens.length;
          return {
            ...request,
            headers: { 'content-type': 'application/json', authorization: tokens[next]! },
          };
        },
      },
    ],
  });
  const report: LoadReport = {
    accepted: result['2xx'] / result.duration,
    refused: result.non2xx,
    errors: result.errors,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
  process.send!(report, () => process.exit());
}
