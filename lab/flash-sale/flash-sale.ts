import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Audit, settledAudit } from '../../tools/client/audit.js';
import { Buyer } from '../../tools/client/buyer.js';
import { inParallel } from '../../tools/client/in-parallel.js';
import { CallFailed, type Shop } from '../../tools/client/shop.js';

export interface FlashSale {
  readonly sku: string;
  readonly stock: number;
  readonly shoppers: number;
  /** Called with what happens, a line at a time. */
  readonly say: (line: string) => void;
  /** Called for each order that is paid. */
  readonly onPaid?: () => void;
}

export interface FlashSaleReport {
  readonly campaignId: string;
  /** How many answers there were of each kind: `201`, or the status and the code of the problem. */
  readonly answers: Readonly<Record<string, number>>;
  /** Orders that the shop confirmed, each with its buyer. */
  readonly won: readonly { buyer: Buyer; orderId: string }[];
  readonly paid: number;
  readonly rushMs: number;
  readonly audit: Audit;
}

const Problem = z.object({ code: z.string() });
const Reserved = z.object({ orderId: z.uuid(), status: z.literal('reserved') });

/** Every tenth shopper clicks twice; every hundredth also sends an invalid click of one of three kinds. */
const TWICE = 10;
const WRONG = 100;
const PAYING_AT_ONCE = 32;

/** Runs a flash sale from its opening to the audit, over HTTP as shoppers would. */
export async function runFlashSale(shop: Shop, sale: FlashSale): Promise<FlashSaleReport> {
  const sold = await sellAndPay(shop, sale);
  sale.say(`${sold.paid} of ${sold.won.length} orders are paid; waiting for everything that follows`);
  return { ...sold, audit: await settledAudit(shop) };
}

/** The same, up to the last payment. What follows from the payments is still in flight. */
export async function sellAndPay(
  shop: Shop,
  { sku, stock, shoppers, say, onPaid }: FlashSale,
): Promise<Omit<FlashSaleReport, 'audit'>> {
  const campaignId = await openCampaign(shop, sku, stock);
  say(`campaign ${campaignId}: ${stock} of ${sku}, one for each buyer`);
  const run = randomUUID().slice(0, 8);
  const buyers = await inParallel(numbers(shoppers), 256, n => Buyer.signIn(shop, `shopper-${run}-${n}`));
  say(`${buyers.length} shoppers have signed in`);

  const startedAt = performance.now();
  const { answers, won } = await rush(shop, campaignId, buyers);
  const rushMs = Math.round(performance.now() - startedAt);
  say(`all have their answer after ${rushMs} ms: ${tell(answers)}`);

  const settled = await inParallel(won, PAYING_AT_ONCE, async ({ buyer, orderId }) => {
    await buyer.orderWhen(orderId, 'awaiting_payment');
    await buyer.pay(orderId);
    const order = await buyer.orderWhen(orderId, 'paid');
    if (order.status === 'paid') onPaid?.();
    return order;
  });
  const paid = settled.filter(order => order.status === 'paid').length;
  return { campaignId, answers, won, paid, rushMs };
}

async function openCampaign(shop: Shop, sku: string, stock: number): Promise<string> {
  const campaign = {
    sku,
    stock,
    perUserLimit: 1,
    priceMinor: 1_999,
    startsAt: new Date(Date.now() - 1_000).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    mode: 'async',
    paymentWindow: 3_600,
  };
  // A lost answer may open it twice, which does no harm: no shopper knows of the first one.
  const token = await shop.asOperator();
  const answer = await shop.callPatiently('POST', '/api/campaigns', { body: campaign, token });
  if (answer.status !== 201) throw new CallFailed('POST', '/api/campaigns', answer);
  return z.object({ campaignId: z.uuid() }).parse(answer.body).campaignId;
}

/** All shoppers click at once, with the invalid clicks among the valid ones. */
async function rush(shop: Shop, campaignId: string, buyers: readonly Buyer[]) {
  const answers: Record<string, number> = {};
  const won: { buyer: Buyer; orderId: string }[] = [];
  const note = (status: number, body: unknown) => {
    const code = Problem.safeParse(body).data?.code;
    const kind = code === undefined ? String(status) : `${status} ${code}`;
    answers[kind] = (answers[kind] ?? 0) + 1;
  };
  const click = async (buyer: Buyer) => {
    const { status, body } = await buyer.click(campaignId);
    note(status, body);
    if (status === 201) won.push({ buyer, orderId: Reserved.parse(body).orderId });
  };
  const path = `/api/campaigns/${campaignId}/orders`;
  const wrong = async (n: number, { token }: Buyer) => {
    const { status, body } = await [
      () => shop.callPatiently('POST', path, { body: { quantity: 1 }, token: `${token}x` }),
      () => shop.callPatiently('POST', path, { body: { quantity: -1 }, token }),
      () =>
        shop.callPatiently('POST', `/api/campaigns/${randomUUID()}/orders`, { body: { quantity: 1 }, token }),
    ][n % 3]!();
    note(status, body);
  };
  await Promise.all(
    buyers.flatMap((buyer, n) => [
      click(buyer),
      ...(n % TWICE === 0 ? [click(buyer)] : []),
      ...(n % WRONG === 0 ? [wrong(n / WRONG, buyer)] : []),
    ]),
  );
  return { answers, won };
}

function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n += 1) yield n;
}

function tell(answers: Readonly<Record<string, number>>): string {
  return Object.entries(answers)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} × ${kind}`)
    .join(', ');
}
