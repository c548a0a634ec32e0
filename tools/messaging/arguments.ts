import { parseArgs } from 'node:util';

export const USAGE = `npm run messaging -- WHAT, where WHAT is one of
  subscriptions                          how every subscription is
  pause NAME [--reason TEXT]             stop a subscription, for all instances and across restarts
  resume NAME                            let it go on
  alerts [--open]                        what is, or was, too much; --open for what is not over
  dead-letters [FILTER] [--status dead|replayed|discarded] [--limit N]
  dead-letter ID                         one of them, whole
  replay ID | FILTER | --all             back at their places, to be handled again
  discard ID | FILTER | --all --reason TEXT
  actions [--limit N]                    who did what
A FILTER is any of --subscription NAME --type TYPE --key KEY --reason-of-death invalid|failed --error TEXT
  --contains TEXT --trace-id ID --since TIME --until TIME; all must fit.`;

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

/** The command, what it is about, and what else was said. */
export interface Command {
  readonly name: (typeof COMMANDS)[number];
  /** A subscription's name, or a letter's id. */
  readonly about: string | undefined;
  readonly filter: Readonly<Record<string, string>>;
  readonly all: boolean;
  readonly open: boolean;
  readonly reason: string | undefined;
  readonly status: string | undefined;
  readonly limit: string | undefined;
}

const COMMANDS = [
  'subscriptions',
  'pause',
  'resume',
  'alerts',
  'dead-letters',
  'dead-letter',
  'replay',
  'discard',
  'actions',
] as const;
const OF_ONE: readonly string[] = ['pause', 'resume', 'dead-letter'];
const OF_ONE_OR_MANY: readonly string[] = ['replay', 'discard'];

/** @throws what is wrong, and how the command is used */
export function readCommand(argv: readonly string[]): Command | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const filterOptions = Object.fromEntries(Object.keys(FILTER).map(name => [name, text]));
  const options = {
    ...filterOptions,
    reason: text,
    status: text,
    limit: text,
    all: flag,
    open: flag,
    help: flag,
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
  const name = COMMANDS.find(each => each === word);
  if (name === undefined) return refuse(word === '' ? 'say what to do' : `"${word}" is not known`);
  if (more !== undefined) return refuse(`"${more}" is one word too many`);
  const filter = Object.fromEntries(
    Object.entries(FILTER).flatMap(([option, field]) => {
      const value = values[option];
      return typeof value === 'string' ? [[field, value]] : [];
    }),
  );
  const all = values['all'] === true;
  const many = all || Object.keys(filter).length > 0;
  if (OF_ONE.includes(name) && about === undefined) return refuse(`${name} what?`);
  if (OF_ONE_OR_MANY.includes(name) && (about === undefined) === !many)
    return refuse(`${name} takes the id of a letter, or a filter, or --all`);
  const said = (option: string) => values[option] as string | undefined;
  const [reason, status, limit] = [said('reason'), said('status'), said('limit')];
  if (name === 'discard' && reason === undefined) return refuse('discard needs a --reason');
  return { name, about, filter, all, open: values['open'] === true, reason, status, limit };
}

function refuse(what: string): never {
  throw new Error(`${what}\n${USAGE}`);
}
