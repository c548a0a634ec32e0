import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { MessagingFixture, openTestQueue, type TestQueue } from '#testkit';
import { z } from 'zod';
import { defineEvent } from '../message/define-event.js';
import { DEFAULT_RETRY } from '../parking/retry-policy.js';
import type { Transport } from '../transport/transport.js';
import { claimQueue, QueueReplaced } from './claim-queue.js';
import { Consumer } from './consumer.js';
import type { Subscription } from './subscription.js';

const Happened = defineEvent({ type: 'a.b.v1', topic: 'a', key: () => 'k', schema: z.object({}) });
const subscription: Subscription = {
  name: 'test.on-happened',
  routes: new Map([
    [Happened.type, { definition: Happened, takesBatch: false, invoke: async () => undefined }],
  ]),
  mode: 'competing',
  startFrom: 'start',
  batch: 1,
  retry: DEFAULT_RETRY,
};

let fixture: MessagingFixture;
let other: TestQueue;
let elsewhere: Transport;

beforeAll(async () => {
  fixture = await MessagingFixture.start();
  other = await openTestQueue();
  elsewhere = other.connect(randomUUID());
});

afterAll(async () => {
  await elsewhere.close();
  await other.drop();
  await fixture.stop();
});

it('takes any queue until it has settled something, and then no other', async () => {
  const transport = fixture.transport();
  await claimQueue('test', fixture.database, elsewhere);
  await claimQueue('test', fixture.database, transport);

  await fixture.subscribe(transport, subscription, new Consumer(subscription, fixture.database));
  fixture.relay(transport);
  await fixture.database.transaction(tx => fixture.outbox.publish(tx, Happened, {}));
  await fixture.settle(1);

  await claimQueue('test', fixture.database, fixture.transport());
  await expect(claimQueue('test', fixture.database, elsewhere)).rejects.toBeInstanceOf(QueueReplaced);
});
