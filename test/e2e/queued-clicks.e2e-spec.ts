import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '#testkit';
import { auditReport, settledAudit } from '../../tools/client/audit.js';
import type { Answer, Shop } from '../../tools/client/shop.js';
import { bestSeller } from './real-catalogue.js';
import { RunningShop } from './running-shop.js';

const QUEUED = 60;
const codeOf = ({ status, body }: Answer) => `${status} ${(body as { code?: string }).code ?? 'reserved'}`;
const count = (answers: readonly Answer[]) =>
  Object.fromEntries([...Map.groupBy(answers, codeOf)].map(([code, each]) => [code, each.length]));

describe('a campaign whose clicks wait on a queue', () => {
  let dataDir: string;
  let running: RunningShop;
  let shop: Shop;
  let sku: string;

  beforeAll(async () => {
    dataDir = await RunningShop.dataDir();
    const env = { GATEWAY_QUEUED: String(QUEUED), GATEWAY_QUEUED_MS: '4000' };
    running = await RunningShop.start(dataDir, ['--scale', 'seckill=2,gateway=2'], env);
    shop = running.client(200);
    sku = await bestSeller(shop);
  });

  afterAll(async () => {
    await shop.close();
    await running.stop();
    await RunningShop.remove(dataDir);
  });

  async function open(stock: number): Promise<string> {
    const [startsAt, endsAt] = [-60_000, 3_600_000].map(ms => new Date(Date.now() + ms).toISOString());
    const body = { sku, stock, perUserLimit: 1, priceMinor: 100, startsAt, endsAt, mode: 'queue' };
    const opened = (await shop.post('/api/campaigns', body, await shop.asOperator())) as {
      campaignId: string;
    };
    return opened.campaignId;
  }

  const buyers = (names: readonly string[]) => Promise.all(names.map(name => shop.signIn(name)));
  const click = (campaignId: string, token: string, key?: string) =>
    shop.call('POST', `/api/campaigns/${campaignId}/orders`, {
      token,
      body: { quantity: 1 },
      ...(key !== undefined && { headers: { 'idempotency-key': key } }),
    });
  const named = (prefix: string, length: number) => Array.from({ length }, (_, n) => `${prefix}-${n}`);
  const seckill = async () => (await running.processes()).filter(({ app }) => app === 'seckill');
  const available = async (campaignId: string) =>
    ((await shop.get(`/api/campaigns/${campaignId}`)) as { available: number }).available;

  async function audit(): Promise<string> {
    return auditReport(await settledAudit(shop));
  }

  it('sells each unit once, through two gateways and two instances of the flash sale', async () => {
    const campaignId = await open(20);
    const tokens = await buyers(named('many', 50));
    const answers = await Promise.all(tokens.map(token => click(campaignId, token)));
    expect(count(answers)).toEqual({ '201 reserved': 20, '409 sold_out': 30 });
    expect(await available(campaignId)).toBe(0);
    expect(await audit()).toContain('audit: clean');
  }, 60_000);

  it('answers 504 and reserves nothing while nobody decides, refuses at once what is over the limit, and recovers', async () => {
    const campaignId = await open(500);
    // Both gateways know the campaign.
    const early = await buyers(named('early', 20));
    expect(count(await Promise.all(early.map(token => click(campaignId, token))))).toEqual({
      '201 reserved': 20,
    });
    const frozen = await seckill();
    for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
    try {
      // Each of the two gateways takes as many as it may; the rest is refused at once.
      const tokens = await buyers(named('waiting', 4 * QUEUED));
      const answers = await Promise.all(tokens.map(token => click(campaignId, token)));
      const told = count(answers);
      expect(told).toEqual({ '504 expired': expect.any(Number), '503 busy': expect.any(Number) });
      expect(told['504 expired']).toBeLessThanOrEqual(2 * QUEUED);
      expect(told['504 expired']).toBeGreaterThanOrEqual(QUEUED);
      // What nobody waits for any more still is on the queue: nothing more is taken.
      const after = await Promise.all(tokens.map(token => click(campaignId, token)));
      expect(count(after)['503 busy']).toBeGreaterThanOrEqual(4 * QUEUED - 2 * QUEUED);
      expect(answers.every(({ retryAfterMs }) => retryAfterMs! > 0)).toBe(true);
    } finally {
      for (const { pid } of frozen) process.kill(pid, 'SIGCONT');
    }
    const [late] = await buyers(['late']);
    const bought = await eventually(
      async () => codeOf(await click(campaignId, late!)),
      code => code === '201 reserved',
    );
    expect(bought).toBe('201 reserved');
    expect(await available(campaignId)).toBe(479);
    expect(await audit()).toContain('audit: clean');
  }, 120_000);

  it('gives the same reservation to a call that is repeated with its key, whatever was killed meanwhile', async () => {
    const campaignId = await open(40);
    const names = named('repeating', 40);
    const tokens = await buyers(names);
    // Until each has its answer: half of them are asked while an instance of the flash sale is killed.
    const asking = tokens.map(async (token, n) => {
      const answer = await eventually(
        () => click(campaignId, token, `key-${n}`).catch(() => undefined),
        each => each !== undefined && each.status < 500 && codeOf(each) !== '409 call_under_way',
      );
      return answer!;
    });
    process.kill((await seckill())[0]!.pid, 'SIGKILL');
    const answers = await Promise.all(asking);
    expect(count(answers)).toEqual({ '201 reserved': 40 });
    const again = await Promise.all(tokens.map((token, n) => click(campaignId, token, `key-${n}`)));
    expect(again.map(({ body }) => body)).toEqual(answers.map(({ body }) => body));
    expect(await available(campaignId)).toBe(0);
    expect(await audit()).toContain('audit: clean');
  }, 120_000);
});
