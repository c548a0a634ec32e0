import { parseArgs } from 'node:util';

export const USAGE = `npm run messaging -- WHAT, where WHAT is one of
  subscriptions                          the state of every subscription
  pause NAME [--reason TEXT]             stop a subscription, for all instances and across restarts
  resume NAME                            let it continue
  alerts [--open] [--limit N]            backlogs, outages, dead letters; --open for those not over
  dead-letters [FILTER] [--status dead|replayed|discarded] [--limit N] [--cursor C]
  dead-letter ID                         one of them, in full
  replay ID | FILTER | --all             return them to their places, to be handled again
  discard ID | FILTER | --all --reason TEXT
  actions [--limit N]                    who did what
A FILTER is any of --subscription NAME --type TYPE --key KEY --reason-of-death invalid|failed --error TEXT
  --contains TEXT --trace-id ID --since TIME --until TIME (2026-11-24T22:00:00Z); all must match.`;

/** The option on the command line, and the field of the filter. */
const FILTER = {
  subscription: 'subscription',
  type: 'type',
  key: 'key',
  'reason-of-death': 'reason',
  error: 'error',
  contains: 'contains',
  'trace-id': 'traceId',
  since: 'since',
  until: 'until',
} as const;

/** The command, its subject, and its options. */
export interface Command {
  readonly name: keyof typeof COMMANDS;
  /** A subscription's name, or a letter's id. */
  readonly about: string | undefined;
  readonly filter: Readonly<Record<string, string>>;
  readonly all: boolean;
  readonly open: boolean;
  readonly reason: string | undefined;
  readonly status: string | undefined;
  readonly limit: string | undefined;
  readonly cursor: string | undefined;
}

const FILTERS = Object.keys(FILTER);

/** What each command acts on, and its options. */
const COMMANDS = {
  subscriptions: { about: 'all', options: [] },
  pause: { about: 'one', options: ['reason'] },
  resume: { about: 'one', options: [] },
  alerts: { about: 'all', options: ['open', 'limit'] },
  'dead-letters': { about: 'all', options: [...FILTERS, 'status', 'limit', 'cursor'] },
  'dead-letter': { about: 'one', options: [] },
  replay: { about: 'one or many', options: [...FILTERS, 'all'] },
  discard: { about: 'one or many', options: [...FILTERS, 'all', 'reason'] },
  actions: { about: 'all', options: ['limit'] },
} as const satisfies Record<string, { about: 'one' | 'all' | 'one or many'; options: readonly string[] }>;

/** @throws what is wrong, and how the command is used */
export function readCommand(argv: readonly string[]): Command | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const texts = [...FILTERS, 'reason', 'status', 'limit', 'cursor'];
  const options = {
    ...Object.fromEntries(texts.map(name => [name, text])),
    ...{ all: flag, open: flag, help: flag },
  };
  let parsed: { positionals: string[]; values: Record<string, string | boolean | undefined> };
  try {
    parsed = parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (error) {
    return refuse((error as Error).message.split(/[.\n]/, 1)[0]!);
  }
  const { positionals, values } = parsed;
  if (values['help'] === true) return 'help';
  const [word = '', about, more] = positionals;
  if (word === '') return refuse('say what to do');
  if (!(word in COMMANDS)) return refuse(`"${word}" is not known`);
  const name = word as keyof typeof COMMANDS;
  const { about: of, options: known } = COMMANDS[name];
  const odd = Object.keys(values).find(option => !(known as readonly string[]).includes(option));
  if (odd !== undefined) return refuse(`${name} has no option --${odd}`);
  const surplus = of === 'all' ? about : more;
  if (surplus !== undefined) return refuse(`"${surplus}" is one word too many`);
  const filter = Object.fromEntries(
    Object.entries(FILTER).flatMap(([option, field]) => {
      const value = values[option];
      return typeof value === 'string' ? [[field, value]] : [];
    }),
  );
  const all = values['all'] === true;
  if (of === 'one' && about === undefined) return refuse(`${name} what?`);
  const selections = [about !== undefined, all, Object.keys(filter).length > 0].filter(each => each).length;
  if (of === 'one or many' && selections !== 1)
    return refuse(`${name} takes the id of a letter, or a filter, or --all`);
  const said = (option: string) => values[option] as string | undefined;
  const [reason, status, limit, cursor] = ['reason', 'status', 'limit', 'cursor'].map(said);
  if (name === 'discard' && reason === undefined) return refuse('discard needs a --reason');
  return { name, about, filter, all, open: values['open'] === true, reason, status, limit, cursor };
}

function refuse(what: string): never {
  throw new Error(`${what}\n${USAGE}`);
}
