import { describe, expect, it } from '@jest/globals';
import { holdFreePort, letGo, OWN_PORTS } from '#server-process';
import { chooseFree, isFree } from './ports.js';

const HOST = '127.0.0.1';
const NAMES = ['postgres', 'order-1', 'points-1'];

describe('the ports of a shop', () => {
  it('are different, free, and none that an outgoing connection may take', async () => {
    const ports = Object.values(await chooseFree(HOST, NAMES, { postgres: 50_000 }));
    expect(new Set(ports).size).toBe(NAMES.length);
    expect(OWN_PORTS.highest).toBeLessThan(32_768);
    for (const port of ports) {
      expect(port).toBeGreaterThanOrEqual(OWN_PORTS.lowest);
      // Linux gives those from 32,768 to outgoing connections.
      expect(port).toBeLessThan(32_768);
    }
  });

  it('stay the same, but for one that is taken meanwhile', async () => {
    const first = await chooseFree(HOST, NAMES, {});
    expect(await chooseFree(HOST, NAMES, first)).toEqual(first);
    const { port, server } = await holdFreePort();
    expect(await isFree(HOST, port)).toBe(false);
    const second = await chooseFree(HOST, NAMES, { ...first, postgres: port });
    expect(second['postgres']).not.toBe(port);
    expect(second).toMatchObject({ 'order-1': first['order-1'], 'points-1': first['points-1'] });
    await letGo([server]);
  });
});
