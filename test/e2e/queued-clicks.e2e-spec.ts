import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, auditReport, type RunningShop, type ShopClient, startShop } from '#shop-kit';
import { eventually } from '#testkit';

const QUEUED = 60;
const FLASH_SALES = ['seckill-1', 'seckill-2'];
const codeOf = ({ status, body }: Answer) => `${status} ${(body as { code?: string }).code ?? 'reserved'}`;
const count = (answers: readonly Answer[]) =>
  Object.fromEntries([...Map.groupBy(answers, codeOf)].map(([code, each]) => [code, each.length]));

describe('a campaign whose clicks wait on a queue', () => {
  let running: RunningShop;
  let shop: ShopClient;

  beforeAll(async () => {
    running = await startShop({
      scale: { seckill: 2, gateway: 2 },
      env: { GATEWAY_QUEUED: String(QUEUED), GATEWAY_QUEUED_MS: '4000' },
    });
    shop = running.connect({ connections: 200 });
  });

  afterAll(() => running.stop());

  const open = (stock: number) => shop.operator.openCampaign({ stock, mode: 'queue' });
  const buyers = (names: readonly string[]) => Promise.all(names.map(name => shop.signIn(name)));
  const click = (campaignId: string, token: string, key?: string) =>
    shop.call('POST', `/api/campaigns/${campaignId}/orders`, {
      token,
      body: { quantity: 1 },
      ...(key !== undefined && { headers: { 'idempotency-key': key } }),
    });
  const named = (prefix: string, length: number) => Array.from({ length }, (_, n) => `${prefix}-${n}`);
  const available = async (campaignId: string) =>
    ((await shop.get(`/api/campaigns/${campaignId}`)) as { available: number }).available;

  const audit = async () => auditReport(await running.audit());

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
    for (const each of FLASH_SALES) await running.faults.freeze(each);
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
      for (const each of FLASH_SALES) await running.faults.resume(each);
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
    await running.faults.kill('seckill-1');
    const answers = await Promise.all(asking);
    expect(count(answers)).toEqual({ '201 reserved': 40 });
    const again = await Promise.all(tokens.map((token, n) => click(campaignId, token, `key-${n}`)));
    expect(again.map(({ body }) => body)).toEqual(answers.map(({ body }) => body));
    expect(await available(campaignId)).toBe(0);
    expect(await audit()).toContain('audit: clean');
  }, 120_000);
});
