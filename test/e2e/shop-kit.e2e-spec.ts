import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  anItem,
  aProduct,
  instancesIn,
  NotInTime,
  type RunningShop,
  runningProcesses,
  startShop,
} from '#shop-kit';
import { eventually, TEST_TRANSPORT } from '#testkit';

const TEMPLATES = 'dist/.shop-templates';
/** `LONG_TESTS=1 npm test -- end-to-end shop-kit`: what is slow, and rarely touched. */
const isLong = process.env['LONG_TESTS'] === '1';
const onKafka = process.env[TEST_TRANSPORT] === 'kafka';

interface Abandoned {
  readonly dataDir: string;
  readonly url: string;
  readonly launcher: number;
}

/** A process of its own that has a shop and does not stop it. */
async function startElsewhere(): Promise<{ program: ChildProcess; shop: Abandoned }> {
  const program = spawn('node', ['test/e2e/abandoned-shop.js'], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: program.stdout! }), 'line')) as [string];
  return { program, shop: JSON.parse(line) as Abandoned };
}

/** Resolves when neither processes nor data are left. */
async function nothingLeft({ dataDir, launcher }: Abandoned): Promise<void> {
  await eventually(runningProcesses, processes => !processes.some(({ pid }) => pid === launcher));
  expect(instancesIn(await runningProcesses(), dataDir)).toEqual([]);
  expect(existsSync(dataDir)).toBe(false);
}

describe('shops side by side', () => {
  let one: RunningShop;
  let other: RunningShop;

  beforeAll(async () => {
    [one, other] = await Promise.all([startShop(), startShop({ scale: { points: 2 } })]);
  });

  afterAll(async () => {
    await Promise.all([one?.stop(), other?.stop()]);
  });

  it('know nothing of each other', async () => {
    const product = aProduct({ priceMinor: 500 });
    const [sku] = await one.client.operator.publish([product]);
    expect(await one.client.get(`/api/products/${sku}`)).toMatchObject({
      title: product.title,
      available: 100,
    });
    expect(await other.client.call('GET', `/api/products/${sku}`)).toMatchObject({ status: 404 });
    const [ann, stranger] = await Promise.all([one.client.buyer('ann'), other.client.buyer('ann')]);
    const orderId = await ann.order([anItem({ sku: sku! })]);
    await ann.untilOrder(orderId, 'awaiting_payment');
    await ann.pay(orderId);
    expect(await ann.untilOrder(orderId, 'paid')).toMatchObject({ totalMinor: 500 });
    expect(await ann.untilPoints(5)).toBe(5);
    expect(await stranger.orders()).toEqual([]);
    for (const shop of [one, other]) expect(await shop.audit()).toMatchObject({ settled: true, clean: true });
  });

  it('start an instance again that is killed, let one be frozen, and name those that run', async () => {
    const pidOf = async (instance: string) =>
      (await other.processes()).find(each => each.instance === instance)!.pid;
    const before = await pidOf('points-2');
    await other.faults.kill('points-2');
    await other.faults.untilUp('points-2');
    expect(await pidOf('points-2')).not.toBe(before);
    await expect(other.faults.kill('points-3')).rejects.toThrow(
      /points-3 does not run; .*points-1, points-2/,
    );

    // The catalog does not reserve while it is frozen, so that the order stays where it is.
    const buyer = await other.connect({ patienceMs: 300 }).buyer();
    await other.faults.freeze('catalog-1');
    const orderId = await buyer.order([anItem()]);
    const refusal = await buyer.untilOrder(orderId, 'awaiting_payment').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(NotInTime);
    expect((refusal as NotInTime).message).toMatch(/waited 0.3 s for order .*"status": "pending_stock"/s);
    await other.faults.resume('catalog-1');
    const patient = await other.client.buyer(buyer.userId);
    expect(await patient.untilOrder(orderId, 'awaiting_payment')).toMatchObject({
      status: 'awaiting_payment',
    });
  });

  it('break and repair the outside world', async () => {
    const { client, faults } = one;
    await faults.outside('sms', { failRate: 1 });
    const buyer = await client.buyer();
    await buyer.order([anItem()]);
    const notices = 'notification.follow-order';
    const { waiting } = await client.operator.untilSubscription(notices, state => state.waiting !== null);
    expect(waiting!.reason).toContain('the SMS gateway is not available');
    await faults.repair('sms');
    expect(await buyer.untilNotices(1)).toMatchObject([{ kind: 'order-placed' }]);
  });
});

describe('what a shop leaves behind', () => {
  it('is nothing when it is stopped', async () => {
    const shop = await startShop();
    const { dataDir, url, launcher } = shop;
    expect(existsSync(dataDir)).toBe(true);
    expect(await shop.stop()).toBe(0);
    await nothingLeft({ dataDir, url, launcher: launcher.pid! });
  });

  it('is nothing when the program that started it is killed', async () => {
    const { program, shop } = await startElsewhere();
    expect(instancesIn(await runningProcesses(), shop.dataDir).length).toBeGreaterThan(10);
    program.kill('SIGKILL');
    await nothingLeft(shop);
  });

  it('is its data when it has a directory to keep', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-kept-'));
    const kept = await startShop({ dataDir });
    await kept.stop();
    expect(existsSync(join(dataDir, 'postgres'))).toBe(true);
    await rm(dataDir, { recursive: true });
  });
});

if (isLong)
  it('a shop is started from any project that has the checkout as a dependency', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-another-project-'));
    await mkdir(join(folder, 'node_modules'));
    await symlink(resolve('.'), join(folder, 'node_modules/sluice'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await copyFile('test/e2e/another-project/first-order.test.js', join(folder, 'first-order.test.js'));
    const env = { ...process.env, NODE_OPTIONS: '' };
    const { stdout } = await promisify(execFile)('node', ['--test'], { cwd: folder, env });
    expect(stdout).toMatch(/pass 1\n.*fail 0\n/s);
    await rm(folder, { recursive: true });
  });

// On Kafka, the queue does not lie in the data directory.
if (isLong && !onKafka)
  it('the template is one, and whole, when two processes make it at once', async () => {
    await rm(TEMPLATES, { recursive: true, force: true });
    const both = await Promise.all([startElsewhere(), startElsewhere()]);
    for (const { shop } of both)
      expect((await fetch(`${shop.url}/api/products/demo.CLOCK`)).status).toBe(200);
    expect(readdirSync(TEMPLATES)).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
    for (const { program } of both) program.kill('SIGKILL');
    for (const { shop } of both) await nothingLeft(shop);
    // Made by them, used by us.
    const third = await startShop();
    expect(await third.audit()).toMatchObject({ settled: true, clean: true });
    await third.stop();
  });
