import { execFile } from 'node:child_process';
import { createConnection, createServer } from 'node:net';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, TEST_TRANSPORT } from '#testkit';
import { auditReport, Buyer, Launcher, startShop } from '#shop-kit';

const newDataDir = () => mkdtemp(join(tmpdir(), 'sluice-e2e-'));

describe('npm start', () => {
  let dataDir: string;

  beforeAll(async () => {
    dataDir = await newDataDir();
  });

  afterAll(async () => {
    await rm(dataDir, { recursive: true, force: true });
  });

  it('leaves no app behind when it is killed, and no call in hand unanswered', async () => {
    const killed = await startShop({ dataDir, scale: { gateway: 2 } });
    const { hostname, port } = new URL(killed.url);
    const call = createConnection(Number(port), hostname);
    await once(call, 'connect');
    const body = JSON.stringify({ userId: 'ann' });
    const head = `POST /api/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    call.write(head + body.slice(0, 5));
    // A gateway has the call once it has answered a later one.
    const shop = killed.client;
    await shop.signIn('ben');
    await killed.launcher.kill();
    call.write(body.slice(5));
    const [answer] = (await once(call, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 201 /);
    await shop.close();
    await eventually(
      async () => (await killed.processes()).filter(({ app }) => app !== undefined),
      apps => apps.length === 0,
    );
  }, 180_000);

  it('ends on SIGTERM with nothing left running, and has everything again after kill -9 of everything', async () => {
    const first = await startShop({ dataDir });
    const shop = first.client;
    const buyer = await Buyer.signIn(shop, 'ann');
    const orderId = await buyer.order([{ sku: 'demo.CLOCK', quantity: 1 }]);
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await buyer.pay(orderId);
    await shop.close();
    await first.faults.killEverything();

    const second = await startShop({ dataDir });
    const again = second.client;
    const returned = await Buyer.signIn(again, 'ann');
    expect(await returned.untilOrder(orderId, 'paid')).toMatchObject({ status: 'paid' });
    expect(auditReport(await again.operator.untilSettled())).toContain('audit: clean');
    await again.close();
    expect(await second.stop()).toBe(0);
    expect(await second.processes()).toEqual([]);
  }, 180_000);

  it('starts an app again that dies, and refuses a second start on the same data', async () => {
    const running = await startShop({ dataDir });
    const second = Launcher.launch({ dataDir });
    expect(await second.ended()).toBe(1);
    expect(second.lines).toEqual([expect.stringContaining('is running on')]);

    const before = (await running.processes()).find(each => each.app === 'catalog')!;
    process.kill(before.pid, 'SIGKILL');
    const shop = running.client;
    for (let status = 0; status !== 200;) ({ status } = await shop.call('GET', '/api/products/demo.CLOCK'));
    const after = (await running.processes()).find(each => each.app === 'catalog')!;
    expect(after.pid).not.toBe(before.pid);
    await shop.close();
    await running.stop();
  }, 120_000);

  if (process.env[TEST_TRANSPORT] === 'kafka') {
    it('is found by Kafka’s own tools, and no longer when it has stopped', async () => {
      const running = await startShop({ dataDir });
      const groups = () =>
        promisify(execFile)(process.execPath, ['dist/tools/kafka/main.js', 'groups', '--list'], {
          env: { ...process.env, SLUICE_DATA_DIR: dataDir },
        });
      expect((await groups()).stdout).toContain('points.follow-order');
      await running.stop();
      await expect(groups()).rejects.toThrow('add --bootstrap-server HOST:PORT');
    }, 180_000);
  }

  it('says in one line why it cannot start, and ends with code 1', async () => {
    const other = await newDataDir();
    const file = join(other, 'file');
    await writeFile(file, '');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const taken = String((server.address() as { port: number }).port);
    for (const [env, args, expected] of [
      [{ PORT: taken }, [], `port ${taken} is taken`],
      [{ PORT: 'http' }, [], 'PORT is not a port'],
      [{ SLUICE_OPERATOR_PASSWORD: 'short' }, [], 'SLUICE_OPERATOR_PASSWORD is shorter'],
      [{}, ['--scale', 'nothing=2'], '--scale nothing=2 is not understood'],
      [{ SLUICE_OPERATOR_PASSWORD: 'x'.repeat(201) }, [], 'SLUICE_OPERATOR_PASSWORD is longer'],
      [{ SECKILL_QUEUE: 'abc', GATEWAY_CLICKS: '-1' }, [], 'SECKILL_QUEUE: '],
      [{ SECKILL_QUEUE: 'abc', GATEWAY_CLICKS: '-1' }, [], 'GATEWAY_CLICKS: '],
      [{ SLUICE_KAFKA_PARTITIONS: 'abc' }, [], 'SLUICE_KAFKA_PARTITIONS: '],
      [{ ORDER_PAYMENT_WINDOW: '1e12' }, [], 'ORDER_PAYMENT_WINDOW: '],
      [{}, ['--nonsense'], 'known are --scale'],
    ] as const) {
      const refused = Launcher.launch({ dataDir: other, env, args });
      expect(await refused.ended()).toBe(1);
      expect(refused.lines).toEqual([expect.stringContaining(expected)]);
    }
    if (process.env[TEST_TRANSPORT] !== 'kafka') {
      const rabbit = Launcher.launch({ dataDir: other, env: { SLUICE_TRANSPORT: 'rabbit' } });
      expect(await rabbit.ended()).toBe(1);
      expect(rabbit.lines).toEqual([expect.stringContaining('the transport rabbit is unknown')]);
      // Brokers that do not answer: the directory may still begin with another queue.
      const away = Launcher.launch({
        dataDir: other,
        args: ['--transport', 'kafka', '--brokers', '127.0.0.1:1'],
      });
      expect(await away.ended()).toBe(1);
      expect(away.lines.at(-1)).toContain('Kafka does not answer');
      expect(existsSync(join(other, 'queue.json'))).toBe(false);
    }
    const unwritable = Launcher.launch({ dataDir: file });
    expect(await unwritable.ended()).toBe(1);
    expect(unwritable.lines).toEqual([expect.stringContaining('cannot be written')]);
    const impossible = Launcher.launch({ dataDir: '/proc/sluice' });
    expect(await impossible.ended()).toBe(1);
    expect(impossible.lines).toEqual([expect.stringContaining('cannot be written')]);
    server.close();
    await rm(other, { recursive: true, force: true });
  });
});
