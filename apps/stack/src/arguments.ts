import { parseArgs } from 'node:util';
import { isScalable, SERVICES } from './services.js';
import { StartRefused } from './start-refused.js';

/** Which queue: PostgreSQL's own, or Apache Kafka with this many brokers here or with brokers elsewhere. */
export type QueueChoice =
  | { readonly transport: 'postgres' }
  | { readonly transport: 'kafka'; readonly brokers: readonly string[] | 1 | 3 };

/** The arguments of the command line. */
export interface Arguments {
  /** How many instances of each service; one if it is not named. */
  readonly scale: ReadonlyMap<string, number>;
  readonly queue: QueueChoice;
  /** Services that somebody else starts, such as `nest start` in watch mode. */
  readonly without: ReadonlySet<string>;
  /** Whether there is what only an experiment needs. */
  readonly lab: boolean;
}

const SCALABLE = SERVICES.filter(isScalable).map(({ name }) => name);

const KNOWN =
  '--scale seckill=2,points=3, --without points, --transport postgres|kafka --brokers 1|3|host:port,host:port and --lab';

/** @throws StartRefused for anything that cannot be understood */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Arguments {
  let values: {
    scale?: string;
    transport?: string;
    brokers?: string;
    without?: string;
    lab?: boolean;
    help?: boolean;
  };
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        scale: { type: 'string' },
        transport: { type: 'string' },
        brokers: { type: 'string' },
        without: { type: 'string' },
        lab: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    throw new StartRefused(`${(error as Error).message.split('.')[0]}; known are ${KNOWN}`);
  }
  if (values.help === true) {
    process.stdout.write(`npm start -- [OPTIONS], with ${KNOWN}\n`);
    process.exit(0);
  }
  if (values.lab === true && env['NODE_ENV'] === 'production')
    throw new StartRefused('--lab is for experiments; it is refused where NODE_ENV is production');
  // The option wins over the setting.
  const transport = values.transport ?? (env['SLUICE_TRANSPORT'] || 'postgres');
  const elsewhere = transport === 'kafka' ? env['SLUICE_KAFKA_BROKERS'] || undefined : undefined;
  return {
    scale: readScale(values.scale),
    queue: readQueue(transport, values.brokers ?? elsewhere),
    without: readWithout(values.without),
    lab: values.lab === true,
  };
}

function readWithout(text: string | undefined): ReadonlySet<string> {
  const without = new Set(text?.split(',') ?? []);
  for (const name of without) {
    if (!SERVICES.some(service => service.name === name))
      throw new StartRefused(
        `--without ${name} is not understood; services: ${SERVICES.map(service => service.name).join(', ')}`,
      );
  }
  return without;
}

function readQueue(transport: string, brokers: string | undefined): QueueChoice {
  if (transport === 'postgres' && brokers === undefined) return { transport };
  if (transport === 'postgres') throw new StartRefused('--brokers requires --transport kafka');
  if (transport !== 'kafka') {
    throw new StartRefused(`the transport ${transport} is unknown; use postgres or kafka`);
  }
  const here = brokers ?? '1';
  if (here === '1' || here === '3') return { transport, brokers: here === '1' ? 1 : 3 };
  const elsewhere = here.split(',').map(each => each.trim());
  if (!elsewhere.every(each => /^[^\s:]+:\d{1,5}$/.test(each))) {
    throw new StartRefused(
      `--brokers ${here} is not understood; write 1 or 3 for brokers here, or host:port,host:port`,
    );
  }
  return { transport, brokers: elsewhere };
}

function readScale(text: string | undefined): ReadonlyMap<string, number> {
  const scale = new Map<string, number>();
  for (const part of text?.split(',') ?? []) {
    const [, name = '', count = ''] = /^([a-z-]+)=(\d{1,2})$/.exec(part) ?? [];
    if (!SCALABLE.includes(name) || Number(count) < 1) {
      throw new StartRefused(
        `--scale ${part} is not understood; write seckill=2,points=3 with ${SCALABLE.join(', ')}`,
      );
    }
    scale.set(name, Number(count));
  }
  return scale;
}
