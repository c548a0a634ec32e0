import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '#testkit';
import { auditReport, Buyer, type RunningShop, signal, startShop } from '#shop-kit';
import { runFlashSale } from '../../lab/flash-sale/flash-sale.js';

/** A partition of the cluster may keep a call waiting for long. */
const PATIENT = { connections: 100, patienceMs: 300_000 };

let running: RunningShop;

afterEach(async () => {
  await running?.stop();
});

async function brokerProcess(number: number): Promise<{ pid: number }> {
  const found = await eventually(
    async () =>
      (await running.processes()).find(({ command }) => command.includes(`kafka/broker-${number}/`)),
    broker => broker !== undefined,
  );
  return found!;
}

describe('the shop on three brokers', () => {
  it('ends a flash sale with clean books while each of them is killed', async () => {
    running = await startShop({ transport: 'kafka', brokers: 3, clientOptions: PATIENT });
    const shop = running.client;
    let over = false;
    const sale = { sku: 'demo.PHONE', stock: 150, shoppers: 600, say: () => undefined };
    const killing = (async () => {
      for (const number of [1, 2, 3]) {
        const before = running.lines.length;
        signal((await brokerProcess(number)).pid, 'SIGKILL');
        await eventually(
          async () =>
            running.lines.slice(before).some(line => line.includes(`broker ${number} ended by itself`)),
          said => said,
        );
        // Kill the next one only when this one is back: two of three must be up.
        await eventually(
          async () => running.lines.includes(`Kafka broker ${number} is back`),
          said => said,
        );
      }
    })().finally(() => (over = true));
    let sold = 0;
    do sold += (await runFlashSale(shop, sale)).won.length;
    while (!over);
    await killing;
    const last = await runFlashSale(shop, sale);
    expect(last.won).toHaveLength(150);
    expect(last.paid).toBe(150);
    expect(sold).toBeGreaterThanOrEqual(150);
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  }, 400_000);
});

describe('the shop on one broker', () => {
  it('sells while the broker is away, says that it is, and does the rest when it is back', async () => {
    running = await startShop({ transport: 'kafka', clientOptions: PATIENT });
    const shop = running.client;
    const ready = async () => (await shop.call('GET', '/health/ready')).status;
    expect(await ready()).toBe(200);
    const { pid } = await brokerProcess(1);
    // Frozen, not dead: the launcher would restart a dead one before anybody noticed.
    process.kill(pid, 'SIGSTOP');
    await eventually(ready, code => code === 503);
    const buyer = await Buyer.signIn(shop, 'patient');
    const { campaigns } = (await shop.get('/api/campaigns')) as { campaigns: { campaignId: string }[] };
    const { status, body } = await shop.call('POST', `/api/campaigns/${campaigns[0]!.campaignId}/orders`, {
      body: { quantity: 1 },
      token: buyer.token,
    });
    expect(status).toBe(201);
    expect(await ready()).toBe(503);
    process.kill(pid, 'SIGCONT');
    const { orderId } = body as { orderId: string };
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await buyer.pay(orderId);
    await buyer.untilOrder(orderId, 'paid');
    await eventually(ready, code => code === 200);
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  }, 200_000);
});
