import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { runProgram, ServerStartError } from '#server-process';

/** Apache Kafka cannot be run here. The message says what is missing and what to do. */
export class KafkaStartError extends ServerStartError {}

const OLDEST_JAVA = 17;

// The build moves only TypeScript output into dist/; all other files stay in the source tree.
const HOME = resolve(import.meta.dirname, '..').replace(/([\\/])dist\1(libs\1embedded-kafka)$/, '$1$2');
const ROOT = resolve(HOME, '../..');

/** Enough memory for a shop on one machine, and a compiler mode that starts fast. */
const FLAGS = [
  '-Xms96m',
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:MaxDirectMemorySize=64m',
  '-Xss512k',
  '-Djava.awt.headless=true',
  `-Dlog4j2.configurationFile=${join(HOME, 'log4j2.properties')}`,
];

/** A Java runtime with Apache Kafka on its class path. */
export class KafkaJava {
  private constructor(private readonly classPath: string) {}

  /**
   * Finds Java, and lets Maven fetch Kafka's jars the first time.
   * @throws KafkaStartError
   */
  static async find(): Promise<KafkaJava> {
    await requireJava();
    return new KafkaJava(await findClassPath());
  }

  /** What is missing on this machine, in one line; undefined if nothing is missing. */
  static async missing(): Promise<string | undefined> {
    try {
      await requireJava();
      await requireMaven();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** How to run one of Kafka's programs. */
  command(mainClass: string, args: readonly string[]): { command: string; args: string[] } {
    return { command: 'java', args: [...FLAGS, '-cp', this.classPath, mainClass, ...args] };
  }
}

const run = (program: string) => promisify(execFile)(program, ['-version'], { env: process.env });

async function requireJava(): Promise<void> {
  const { stderr } = await run('java').catch(() => {
    throw new KafkaStartError(
      `Apache Kafka needs Java ${OLDEST_JAVA} or newer and there is no java on the PATH; ` +
        'install it (Debian: openjdk-17-jre-headless), or name brokers that run elsewhere with --brokers host:port',
    );
  });
  const version = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  if (version < OLDEST_JAVA) {
    throw new KafkaStartError(
      `Apache Kafka needs Java ${OLDEST_JAVA} or newer; the java on the PATH is ${version}`,
    );
  }
}

async function requireMaven(): Promise<void> {
  await run('mvn').catch(() => {
    throw new KafkaStartError(
      "Maven fetches Apache Kafka's jars and there is no mvn on the PATH; install it (Debian: maven), " +
        'or name brokers that run elsewhere with --brokers host:port',
    );
  });
}

/** The class path of Maven's jars, cached by the pom's content because asking Maven takes seconds. */
async function findClassPath(): Promise<string> {
  const pom = join(HOME, 'pom.xml');
  const version = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 16);
  const folder = join(ROOT, 'node_modules', '.cache', 'sluice');
  const file = join(folder, `kafka-${version}.classpath`);
  const known = existsSync(file) ? await readFile(file, 'utf8') : '';
  if (known !== '' && known.split(delimiter).every(jar => existsSync(jar))) return known;
  await requireMaven();
  await mkdir(folder, { recursive: true });
  const fresh = `${file}.${process.pid}`;
  const { code, lastWords } = await runProgram({
    command: 'mvn',
    args: [
      '-B',
      '-q',
      '-f',
      pom,
      'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath',
      '-DincludeScope=runtime',
      `-Dmdep.outputFile=${fresh}`,
    ],
  });
  if (code !== 0) throw new KafkaStartError(`Maven could not fetch Apache Kafka: ${lastWords}`);
  await rename(fresh, file);
  return readFile(file, 'utf8');
}
