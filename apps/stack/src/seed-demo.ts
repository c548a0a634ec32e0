import { z } from 'zod';

const PRODUCTS = [
  ['LANTERN', 'Brass Hurricane Lantern', 2495],
  ['TEAPOT', 'Enamel Teapot, Cream', 1850],
  ['BLANKET', 'Lambswool Blanket, Grey', 6400],
  ['CLOCK', 'Station Wall Clock', 4250],
  ['MUGS', 'Stoneware Mugs, Set of Four', 2200],
  ['CANDLES', 'Beeswax Candles, Box of Ten', 1495],
  ['BASKET', 'Willow Log Basket', 3875],
  ['APRON', 'Linen Apron, Navy', 1650],
  ['BOARD', 'Oak Bread Board', 1995],
  ['PHONE', 'Pocket Telephone, Last Year’s', 29900],
] as const;

const Publication = z.object({ status: z.string() });
const Campaigns = z.object({ campaigns: z.array(z.unknown()) });

/** Gives a shop without campaigns something to show: a small catalog, and a flash sale from it. */
export async function seedDemo(url: string, operatorPassword: string): Promise<void> {
  const call = async (
    method: 'GET' | 'POST',
    path: string,
    body?: object | string,
    token?: string,
  ): Promise<unknown> => {
    const response = await fetch(`${url}/api${path}`, {
      method,
      headers: {
        'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: typeof body === 'string' ? body : body && JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  // The campaign is opened last, so that the next start completes one that was interrupted.
  const { campaigns } = Campaigns.parse(await call('GET', '/campaigns'));
  if (campaigns.length > 0) return;
  const { token } = z
    .object({ token: z.string() })
    .parse(await call('POST', '/sessions', { adminPassword: operatorPassword }));
  const lines = PRODUCTS.map(([code, title, priceMinor]) =>
    JSON.stringify({ code, title, priceMinor, currency: 'GBP', stock: 1_000 }),
  );
  const { publicationId } = z
    .object({ publicationId: z.string() })
    .parse(await call('POST', '/publications?store=demo', lines.join('\n'), token));
  while (
    Publication.parse(await call('GET', `/publications/${publicationId}`, undefined, token)).status !==
    'published'
  ) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  await call(
    'POST',
    '/campaigns',
    {
      sku: 'demo.PHONE',
      stock: 100,
      perUserLimit: 1,
      priceMinor: 9_900,
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
      mode: 'async',
      paymentWindow: 900,
    },
    token,
  );
}
