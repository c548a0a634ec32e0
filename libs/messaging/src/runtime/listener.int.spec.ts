import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { emptyDatabase, Gathered, type TestDatabase } from '#testkit';
import { Listener, type ListeningClient } from './listener.js';
import { DEFAULT_SESSION_LIMITS } from './session-limits.js';

/** How many connections the door turns away before it lets one in. */
const TURNED_AWAY = 3;

describe('a listening connection', () => {
  let own: TestDatabase;
  let door: Server;
  let connections: number;
  let listener: Listener;
  let heard: Gathered<string>;

  beforeEach(async () => {
    own = await emptyDatabase();
    connections = 0;
    const server = Number(new URL(own.url).port);
    door = createServer(socket => {
      connections += 1;
      socket.on('error', () => undefined);
      if (connections <= TURNED_AWAY) return void socket.once('data', () => socket.end());
      const inside = connect(server, '127.0.0.1').on('error', () => undefined);
      socket.pipe(inside).pipe(socket);
    });
    await once(door.listen(0, '127.0.0.1'), 'listening');
    const url = new URL(own.url);
    url.port = String((door.address() as AddressInfo).port);
    const create = () => new pg.Client({ connectionString: url.href }) as unknown as ListeningClient;
    listener = new Listener(create, DEFAULT_SESSION_LIMITS);
    heard = new Gathered();
  });

  afterEach(async () => {
    await listener.close();
    door.close();
    await own.drop();
  });

  it('is one, however often it is lost while it is being opened', async () => {
    listener.on('heard', payload => heard.add(payload));
    listener.openEventually();
    await heard.count(1);
    const teller = new pg.Client({ connectionString: own.url });
    await teller.connect();
    await teller.query("NOTIFY heard, 'first'");
    await teller.query("NOTIFY heard, 'last'");
    await heard.until(items => items.includes('last'));
    await teller.end();
    expect(heard.items).toEqual(['', 'first', 'last']);
    expect(connections).toBe(TURNED_AWAY + 1);
  });
});
