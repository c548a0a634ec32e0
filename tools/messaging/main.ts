import { ShopClient, table } from '#shop-kit';
import { type Command, readCommand, USAGE } from './arguments.js';

const API = '/api/admin/messaging';
const say = (text: string) => process.stdout.write(`${text}\n`);

type Row = Readonly<Record<string, unknown>>;

/** The operator's commands for messages, run against the running shop. */
async function main(): Promise<void> {
  const command = readCommand(process.argv.slice(2));
  if (command === 'help') {
    say(USAGE);
    return;
  }
  const shop = await ShopClient.find();
  try {
    say(await run(command, shop, await shop.asOperator()));
  } finally {
    await shop.close();
  }
}

async function run(command: Command, shop: ShopClient, token: string): Promise<string> {
  const { about = '', filter, all, open, reason, status, limit, cursor } = command;
  const get = async (path: string, query: Readonly<Record<string, string | undefined>> = {}) => {
    const asked = Object.entries(query).filter((each): each is [string, string] => each[1] !== undefined);
    const answer = (await shop.get(
      `${API}/${path}${asked.length > 0 ? '?' : ''}${new URLSearchParams(asked)}`,
      token,
    )) as Row;
    for (const service of (answer['unanswered'] ?? []) as string[])
      process.stderr.write(`${service} does not answer; its entries are missing here\n`);
    return answer;
  };
  const post = async (path: string, body?: object) => (await shop.post(`${API}/${path}`, body, token)) as Row;
  const id = encodeURIComponent(about);
  switch (command.name) {
    case 'subscriptions':
      return subscriptions(rowsOf(await get('subscriptions'), 'subscriptions'));
    case 'pause':
    case 'resume': {
      const { name, state } = await post(
        `subscriptions/${id}/${command.name}`,
        reason === undefined ? {} : { reason },
      );
      return `${String(name)}: ${String(state)}`;
    }
    case 'alerts':
      return alerts(rowsOf(await get('alerts', { open: open ? 'true' : undefined, limit }), 'alerts'));
    case 'dead-letters':
      return letters(await get('dead-letters', { ...filter, status, limit, cursor }));
    case 'dead-letter':
      return whole(await get(`dead-letters/${id}`));
    case 'replay':
    case 'discard': {
      const which = about !== '' ? {} : all ? { all } : { filter };
      const path = about === '' ? `dead-letters/${command.name}` : `dead-letters/${id}/${command.name}`;
      const answer = await post(path, { ...which, ...(command.name === 'discard' && { reason }) });
      return Object.entries(answer)
        .map(([name, value]) => `${name}: ${String(value)}`)
        .join('\n');
    }
    case 'actions':
      return actions(rowsOf(await get('actions', { limit }), 'actions'));
  }
}

function rowsOf(answer: Row, name: string): Row[] {
  return answer[name] as Row[];
}

function subscriptions(rows: readonly Row[]): string {
  const state = ({ paused, waiting }: Row) => {
    if (paused !== null)
      return ['paused by', (paused as Row)['by'], (paused as Row)['reason']].join(' ').trim();
    return waiting === null ? 'running' : `waiting: ${(waiting as Row)['reason']}`;
  };
  const figures = ['lag', 'handled', 'parked', 'dead'];
  return told('no subscriptions', [
    ['subscription', ...figures, 'state'],
    ...rows.map(row => [String(row['name']), ...figures.map(name => Number(row[name])), state(row)]),
  ]);
}

function alerts(rows: readonly Row[]): string {
  return told('no alerts', [
    ['raised', 'cleared', 'what'],
    ...rows.map(({ raisedAt, clearedAt, message }) => [raisedAt, clearedAt ?? 'open', message].map(String)),
  ]);
}

function letters({ deadLetters, nextCursor }: Row): string {
  const firstLine = (errors: unknown) =>
    ((errors as { error: string }[]).at(-1)?.error ?? '').split('\n')[0]!;
  const rows = told('no dead letters', [
    ['id', 'died', 'subscription', 'key', 'last error'],
    ...(deadLetters as Row[]).map(({ id, deadAt, subscription, key, errors }) => [
      ...[id, deadAt, subscription, key].map(String),
      firstLine(errors),
    ]),
  ]);
  return typeof nextCursor === 'string' ? `${rows}\nmore with --cursor ${nextCursor}` : rows;
}

function whole({ errors, ...letter }: Row): string {
  const attempts = (errors as { at: string; error: string }[]).map(({ at, error }) => `${at}\n${error}`);
  // `text` is the decoded payload, so the base64 is left out.
  return [JSON.stringify({ ...letter, payload: undefined }, null, 2), ...attempts].join('\n\n');
}

function actions(rows: readonly Row[]): string {
  return told('no actions', [
    ['at', 'by', 'action', 'subscription', 'dead letter', 'note'],
    ...rows.map(({ at, by, action, subscription, deadLetterId, note }) =>
      [at, by, action, subscription, deadLetterId ?? '', note ?? ''].map(String),
    ),
  ]);
}

/** @param rows the first is the heading */
function told(nothing: string, rows: readonly (readonly (string | number)[])[]): string {
  return rows.length === 1 ? nothing : table(rows);
}

main().catch((error: unknown) => {
  process.stderr.write(`messaging: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
