import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts } from '#server-process';
import { Gathered, startKafka, type TestKafka } from '#testkit';
import { KafkaTransport } from './kafka-transport.js';
import type { KafkaTransportOptions, SaslOptions, TlsOptions } from './options.js';

const LISTENERS = ['TLS', 'MUTUAL', 'PASSWORD', 'SECURE'] as const;
type Listener = (typeof LISTENERS)[number];

const STORE_PASSWORD = 'changeit';
const PLAIN: SaslOptions = { mechanism: 'plain', username: 'app', password: 'plain-secret' };
const SCRAM_256: SaslOptions = { mechanism: 'scram-sha-256', username: 'app', password: 'scram-256-secret' };
const SCRAM_512: SaslOptions = { mechanism: 'scram-sha-512', username: 'app', password: 'scram-512-secret' };

let folder: string;
let kafka: TestKafka;
let ports: Record<Listener, number>;
let authority: string;
let ours: { cert: string; key: string };

const keytool = (...args: string[]) =>
  promisify(execFile)('keytool', [...args, '-storepass', STORE_PASSWORD, '-noprompt'], { cwd: folder });

/** A broker's key store with a self-signed certificate, and the same for a client. */
async function makeCertificates(): Promise<void> {
  const pair = [
    '-genkeypair',
    '-keyalg',
    'EC',
    '-groupname',
    'secp256r1',
    '-validity',
    '2',
    '-storetype',
    'PKCS12',
  ];
  await keytool(
    ...pair,
    ...['-alias', 'broker', '-dname', 'CN=broker', '-ext', 'SAN=ip:127.0.0.1', '-keystore', 'broker.p12'],
  );
  await keytool('-exportcert', '-rfc', '-alias', 'broker', '-keystore', 'broker.p12', '-file', 'broker.pem');
  await keytool(...pair, '-alias', 'client', '-dname', 'CN=client', '-keystore', 'client.p12');
  await keytool('-exportcert', '-rfc', '-alias', 'client', '-keystore', 'client.p12', '-file', 'client.pem');
  const { stdout } = await promisify(execFile)('openssl', [
    ...[
      'pkcs12',
      '-in',
      join(folder, 'client.p12'),
      '-passin',
      `pass:${STORE_PASSWORD}`,
      '-nocerts',
      '-nodes',
    ],
  ]);
  authority = await readFile(join(folder, 'broker.pem'), 'utf8');
  ours = { cert: await readFile(join(folder, 'client.pem'), 'utf8'), key: stdout };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  await makeCertificates();
  const free = await freePorts(LISTENERS.length);
  ports = Object.fromEntries(LISTENERS.map((name, at) => [name, free[at]!])) as Record<Listener, number>;
  const scram = (mechanism: string) => [
    mechanism,
    'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  ];
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_app="${PLAIN.password}";`;
  const logins = ['password', 'secure'].flatMap(listener =>
    [['plain', plain], scram('scram-sha-256'), scram('scram-sha-512')].map(
      ([mechanism, module]) => [`listener.name.${listener}.${mechanism}.sasl.jaas.config`, module!] as const,
    ),
  );
  kafka = await startKafka({
    listeners: ports,
    properties: {
      'listener.security.protocol.map':
        'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MUTUAL:SSL,PASSWORD:SASL_PLAINTEXT,SECURE:SASL_SSL',
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.location': join(folder, 'broker.p12'),
      'ssl.keystore.password': STORE_PASSWORD,
      'ssl.key.password': STORE_PASSWORD,
      'listener.name.mutual.ssl.client.auth': 'required',
      'listener.name.mutual.ssl.truststore.type': 'PEM',
      'listener.name.mutual.ssl.truststore.location': join(folder, 'client.pem'),
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      ...Object.fromEntries(logins),
    },
    format: [SCRAM_256, SCRAM_512].flatMap(({ mechanism, username, password }) => [
      '--add-scram',
      `${mechanism.toUpperCase()}=[name=${username},password=${password}]`,
    ]),
  });
});

afterAll(async () => {
  await kafka?.stop();
  await rm(folder, { recursive: true, force: true });
});

function connect(listener: Listener, options: Partial<KafkaTransportOptions>): KafkaTransport {
  return new KafkaTransport({
    brokers: [`127.0.0.1:${ports[listener]}`],
    instance: randomUUID(),
    prefix: `${randomUUID()}.`,
    ...options,
  });
}

describe('brokers that ask who is there', () => {
  const trusting = (): TlsOptions => ({ ca: authority });
  it.each<[string, Listener, () => Partial<KafkaTransportOptions>]>([
    ['TLS', 'TLS', () => ({ tls: trusting() })],
    ['TLS with a certificate of the client', 'MUTUAL', () => ({ tls: { ca: authority, ...ours } })],
    ['PLAIN', 'PASSWORD', () => ({ sasl: PLAIN })],
    ['SCRAM-SHA-256', 'PASSWORD', () => ({ sasl: SCRAM_256 })],
    ['PLAIN over TLS', 'SECURE', () => ({ tls: trusting(), sasl: PLAIN })],
    ['SCRAM-SHA-256 over TLS', 'SECURE', () => ({ tls: trusting(), sasl: SCRAM_256 })],
    ['SCRAM-SHA-512 over TLS', 'SECURE', () => ({ tls: trusting(), sasl: SCRAM_512 })],
  ])('takes and brings messages with %s', async (_, listener, options) => {
    const transport = connect(listener, options());
    const received = new Gathered<string>();
    await transport.ensureTopics([{ name: 't', partitions: 1 }]);
    await transport.subscribe(
      { group: 'g', topics: ['t'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async ({ messages }) => received.add(...messages.map(({ payload }) => payload.toString())),
    );
    await transport.publish([{ topic: 't', key: 'k', headers: {}, payload: Buffer.from('hello') }]);
    expect(await received.count(1)).toEqual(['hello']);
    await transport.close();
  });

  it.each<[string, RegExp, Listener, () => Partial<KafkaTransportOptions>]>([
    [
      'a wrong password',
      /authentication failed/i,
      'SECURE',
      () => ({ tls: trusting(), sasl: { ...SCRAM_512, password: 'guessed' } }),
    ],
    ['an authority that is not trusted', /self-signed certificate/i, 'TLS', () => ({ tls: {} })],
    [
      'no certificate where one is asked for',
      /certificate.required|handshake.failure|bad.certificate/i,
      'MUTUAL',
      () => ({ tls: trusting() }),
    ],
  ])('is not ready, and says why, with %s', async (_, reason, listener, options) => {
    const prefix = `${randomUUID()}.`;
    const welcome = connect('PASSWORD', { prefix, sasl: PLAIN });
    await welcome.ensureTopics([{ name: 't', partitions: 1 }]);
    const refused = connect(listener, { prefix, ...options() });
    const message = { topic: 't', key: 'k', headers: {}, payload: Buffer.from('x') };
    await expect(refused.publish([message])).rejects.toThrow(reason);
    await expect(refused.check()).rejects.toThrow(reason);
    await welcome.publish([message]);
    await Promise.all([welcome.close(), refused.close()]);
  });
});
