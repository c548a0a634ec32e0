import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { OrderPlaced } from '#contracts';
import type { ReceivedMessage } from '#messaging';
import { queueAs, report, told } from '../frame/inside.js';

const database = new pg.Pool({ connectionString: told('DATABASE_URL') });
const queue = await queueAs('naive-notices');
const ATTEMPTS = 3;
const PAUSE_MS = 50;

async function sendSms({ orderId, buyerId }: OrderPlaced): Promise<void> {
  const response = await fetch(`${told('SMS_GATEWAY_URL')}/sms`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${told('SMS_API_KEY')}`,
      'content-type': 'application/json',
      'idempotency-key': `naive-${orderId}`,
    },
    body: JSON.stringify({ to: buyerId, text: 'Thank you for your order' }),
  });
  if (!response.ok) throw new Error(`the SMS gateway answered ${response.status}`);
}

// #region naive
async function notify(order: OrderPlaced): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await sendSms(order);
      await database.query('INSERT INTO sent (order_id) VALUES ($1)', [order.orderId]);
      return;
    } catch (error) {
      // After the last attempt it is a dead letter, whatever the reason was.
      if (attempt === ATTEMPTS) {
        await database.query('INSERT INTO dead_letter (order_id, error) VALUES ($1, $2)', [
          order.orderId,
          String(error),
        ]);
        return;
      }
      await setTimeout(PAUSE_MS);
    }
  }
}
// #endregion

await queue.subscribe(
  { group: told('LAB_TOPIC'), topics: ['order'], mode: 'competing', startFrom: 'now', maxBatch: 50 },
  async ({ messages }) => {
    for (const order of messages.flatMap(placed)) {
      await notify(order);
      await report({ kind: 'done' });
    }
  },
);
await report({ kind: 'ready' });

function placed({ headers, payload }: ReceivedMessage): OrderPlaced[] {
  return headers['ce_type'] === OrderPlaced.type
    ? [OrderPlaced.schema.parse(JSON.parse(payload.toString()))]
    : [];
}
