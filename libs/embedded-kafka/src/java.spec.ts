import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { KafkaJava } from './java.js';

const path = process.env['PATH'];
let folder: string;

beforeEach(async () => {
  // Not the temporary directory, which may forbid running programs.
  folder = await mkdtemp(resolve('dist', 'path-'));
  process.env['PATH'] = folder;
});

afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true, force: true });
});

async function fakeJava(version: string): Promise<void> {
  await writeFile(join(folder, 'java'), `#!/bin/sh\necho 'openjdk version "${version}"' >&2\n`);
  await chmod(join(folder, 'java'), 0o755);
}

it('says what is missing, and what to do, where Kafka cannot be run', async () => {
  expect(await KafkaJava.missing()).toMatch(/Java 17 or newer and there is no java on the PATH; install it/);
  await fakeJava('11.0.2');
  expect(await KafkaJava.missing()).toMatch(/Java 17 or newer; the java on the PATH is 11/);
  await fakeJava('17.0.15');
  expect(await KafkaJava.missing()).toMatch(/there is no mvn on the PATH; install it/);
});
