import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { LOCALE_FLAGS, SETTINGS } from '#embedded-postgres';
import { READY_PATH } from '#service-kit';
import { DEFAULT_PORT } from '../../apps/stack/src/environment.js';
import { answersRequests, processOf, type Service, SERVICES } from '../../apps/stack/src/services.js';
import { STOP_MS } from '../../apps/stack/src/supervisor.js';
import { launcherSets } from '../../tools/settings/launcher-sets.js';

/** What the launcher sets and a container does not need: it uses the name of its host. */
const NOT_TOLD = ['SLUICE_INSTANCE'];
/** What only a container sets: where it listens for others, and which queue it uses. */
const TOLD_BESIDES = ['HOST', 'HTTP_PORT', 'SLUICE_TRANSPORT', 'SLUICE_KAFKA_BROKERS', 'HTTP_HOSTS'];
/** The settings that depend on where PostgreSQL runs. */
const WHERE_IT_LISTENS = ['listen_addresses', 'unix_socket_directories'];
/** The CPU weight of background work: the kernel gives this to nice 10, and 1,024 to nice 0. */
const WEIGHT_OF_NICE_10 = 110;

const Container = z.object({
  image: z.string(),
  command: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  container_name: z.string().optional(),
  cpu_shares: z.number().optional(),
  stop_grace_period: z.string().optional(),
  cap_drop: z.array(z.string()).optional(),
  cap_add: z.array(z.string()).optional(),
  privileged: z.boolean().optional(),
  security_opt: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
const Compose = z.object({ services: z.record(z.string(), Container) });

const NONE = Container.parse({ image: '' });

const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
const composeFile = read('docker-compose.yml');
const { services: containers } = Compose.parse(parse(composeFile, { merge: true }));
const dockerfile = read('Dockerfile');
const packages = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
const answering = SERVICES.filter(answersRequests).map(service => service.name);

describe('the compose file', () => {
  it('starts every app that the launcher starts, PostgreSQL, Kafka and the demo', () => {
    const missing = SERVICES.find(({ name }) => containers[name] === undefined);
    if (missing !== undefined)
      throw new Error(`docker-compose.yml has no entry for ${missing.name}; add\n\n${entryFor(missing)}`);
    const apps = SERVICES.map(service => service.name);
    expect(new Set(Object.keys(containers))).toEqual(new Set([...apps, 'postgres', 'kafka', 'demo']));
  });

  it('opens the shop where the launcher opens it, to this machine only', () => {
    const { ports, environment } = containers['gateway']!;
    expect(ports).toEqual([`127.0.0.1:\${PORT:-${DEFAULT_PORT}}:${environment['HTTP_PORT']}`]);
  });

  it('stops the gateway before every other app, as the launcher does', () => {
    const others = SERVICES.map(service => service.name).filter(name => name !== 'gateway');
    expect(Object.keys(containers['gateway']!.depends_on)).toEqual(expect.arrayContaining(others));
  });

  it.each(Object.entries(containers))(
    'gives %s no capability and, but for Kafka, no root to write to',
    (name, each) => {
      expect(each).toMatchObject({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      expect([each.cap_add, each.privileged]).toEqual([undefined, undefined]);
      expect(each.read_only ?? false).toBe(name !== 'kafka');
    },
  );

  it('starts with secrets of its own, or not at all', () => {
    expect(composeFile).not.toMatch(/\$\{SLUICE_\w+:?-/);
    const written = read('docker/secrets.sh').match(/^SLUICE_\w+(?==)/gm);
    const used = composeFile.matchAll(/\$\{(SLUICE_\w+)/g);
    const required = composeFile.matchAll(/\$\{(SLUICE_\w+):\?/g);
    for (const names of [used, required])
      expect(new Set(Array.from(names, ([, name]) => name))).toEqual(new Set(written));
  });
});

describe.each(SERVICES)('in its container, $name', service => {
  const { name, database } = service;
  const { command, environment, ports, depends_on, ...container } = containers[name] ?? NONE;

  it('is told of everything that the launcher tells it of', () => {
    const told = Object.keys(launcherSets(service)).filter(key => !NOT_TOLD.includes(key));
    expect(new Set(Object.keys(environment))).toEqual(new Set([...told, ...TOLD_BESIDES]));
  });

  it('has the database that the launcher gives it', () => {
    expect(environment['DATABASE_URL']?.split('/').at(-1)).toBe(database);
  });

  it('connects as the owner of that database, with a password of its own', () => {
    const { username, password } = new URL(environment['DATABASE_URL'] ?? 'http://none');
    expect(username).toBe(database ?? '');
    expect(decodeURI(password)).toBe(database === undefined ? '' : `\${${passwordOf(database)}}`);
  });

  it('runs with the flags and the weight that the launcher gives it', () => {
    const { flags, priority } = processOf(service);
    expect(command).toBe(['node', ...flags, `dist/apps/${name}/src/main.js`].join(' '));
    expect(container.cpu_shares).toBe(priority === 0 ? undefined : WEIGHT_OF_NICE_10);
  });

  it('is asked whether it is ready, where it answers that', () => {
    const url = `http://127.0.0.1:${environment['HTTP_PORT']}/${READY_PATH}`;
    expect(container.healthcheck?.test.join(' ')).toContain(`'${url}'`);
  });

  it('finds every service that answers requests', () => {
    const addresses = answering.map(each => [each, [`${each}:${containers[each]!.environment['RPC_PORT']}`]]);
    expect(JSON.parse(environment['SLUICE_INSTANCES']!)).toEqual(Object.fromEntries(addresses));
  });

  it('starts when PostgreSQL and Kafka are healthy', () => {
    const healthy = { condition: 'service_healthy' };
    expect(depends_on).toMatchObject({ postgres: healthy, kafka: healthy });
  });

  it('has as long to end as the launcher gives it, and ends before a sandbox that it calls', () => {
    expect(container.stop_grace_period).toBe(`${STOP_MS / 1_000}s`);
    const calls =
      service.kind === 'entrance' ||
      Object.values(environment).some(value => value.startsWith('http://sandbox:'));
    expect('sandbox' in depends_on).toBe(calls);
  });

  it('can be scaled if the launcher can scale it: no port and no name that only one can have', () => {
    expect(ports.length === 0).toBe(service.kind === 'service');
    expect(container.container_name).toBeUndefined();
  });
});

describe('PostgreSQL in its container', () => {
  const { image, command, environment } = containers['postgres']!;

  it('has the databases of all apps', () => {
    const created = read('docker/create-databases.sh').match(/^database .*$/gm);
    const databases = SERVICES.flatMap(service => service.database ?? []);
    expect(created).toEqual(databases.map(name => `database ${name} "$${passwordOf(name)}"`));
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(databases.map(passwordOf)));
  });

  it('is the version that the launcher starts, set up alike', () => {
    expect(major(image)).toBe(major(packages.devDependencies['embedded-postgres']!));
    const settings = Object.entries(SETTINGS).filter(([name]) => !WHERE_IT_LISTENS.includes(name));
    expect(command).toBe(['postgres', ...settings.map(([name, value]) => `-c ${name}=${value}`)].join(' '));
    expect(environment['POSTGRES_INITDB_ARGS']).toBe(LOCALE_FLAGS.join(' '));
  });
});

describe('Kafka in its container', () => {
  it('is the version that the launcher starts', () => {
    const [, version] = /<kafka\.version>(.*)<\/kafka\.version>/.exec(read('libs/embedded-kafka/pom.xml'))!;
    expect(containers['kafka']!.image).toBe(`apache/kafka:${version}`);
  });
});

describe('the image', () => {
  it('has the Node that the project brings', () => {
    const bases = Array.from(dockerfile.matchAll(/^FROM (node:\S+)/gm), ([, base]) => major(base!));
    expect(new Set(bases)).toEqual(new Set([major(packages.devDependencies['node']!)]));
  });

  it('has no development dependencies and does not run as root', () => {
    expect(dockerfile).toMatch(/^FROM base AS dependencies\nRUN npm ci --omit=dev /m);
    const last = dockerfile.split(/^(?=FROM )/m).at(-1)!;
    expect(last.match(/^COPY --from=\w+ \S+ node_modules$/gm)).toEqual([
      'COPY --from=dependencies /sluice/node_modules node_modules',
    ]);
    expect(last.match(/^USER .*/gm)).toEqual(['USER node']);
  });
});

/** The entry to add for a new service, like those of the others of its kind. */
function entryFor(service: Service): string {
  const { flags } = processOf(service);
  const told = Object.keys(launcherSets(service)).filter(key => !NOT_TOLD.includes(key));
  const own = told.filter(key => !Object.hasOwn(containers['points']!.environment, key));
  return [
    `  ${service.name}:`,
    '    <<: *background',
    `    command: ${['node', ...flags, `dist/apps/${service.name}/src/main.js`].join(' ')}`,
    '    environment:',
    '      <<: *told-of-queues',
    `      DATABASE_URL: postgresql://${service.database}:\${${passwordOf(service.database ?? '')}}@postgres:5432/${service.database}`,
    ...own.map(key => `      ${key}: …`),
    '    depends_on: *stores-and-sandbox',
    '',
    `its database to docker/create-databases.sh, its password there, to docker/secrets.sh and to PostgreSQL's environment, its address to SLUICE_INSTANCES, and it to the gateway's depends_on`,
  ].join('\n');
}

/** The variable with the password of a database's owner. */
function passwordOf(database: string): string {
  return `${database.toUpperCase()}_DATABASE_PASSWORD`;
}

/** Of `node:24-bookworm-slim`, `^24.21.0` and the like. */
function major(version: string): string | undefined {
  return /\d+/.exec(version)?.[0];
}
