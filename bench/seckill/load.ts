import autocannon from 'autocannon';
import { createSigner } from 'fast-jwt';

/** The load, as the bench orders it. It has its own process, so that it measures and does not serve. */
export interface LoadOrder {
  readonly url: string;
  readonly secret: string;
  readonly shoppers: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadReport {
  /** Successful answers per second. */
  readonly accepted: number;
  /** Answers per second, whatever they say. */
  readonly answered: number;
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
  // Each connection plays some of the shoppers in turn. Requests are built beforehand, not while measuring.
  const perConnection = Math.ceil(tokens.length / connections);
  let connected = 0;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    method: 'POST',
    body: '{"quantity":1}',
    setupClient: client => {
      const from = (connected++ * perConnection) % tokens.length;
      client.setRequests(
        tokens.slice(from, from + perConnection).map(authorization => ({
          method: 'POST',
          body: '{"quantity":1}',
          headers: { 'content-type': 'application/json', authorization },
        })),
      );
    },
  });
  const report: LoadReport = {
    accepted: result['2xx'] / result.duration,
    answered: (result['2xx'] + result.non2xx) / result.duration,
    refused: result.non2xx,
    errors: result.errors,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
  process.send!(report, () => process.exit());
}
