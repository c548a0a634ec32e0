import { z } from 'zod';
import { LauncherEnvironment } from '../../apps/stack/src/environment.js';
import { settingsOf } from '../../apps/stack/src/service-settings.js';
import { SERVICES } from '../../apps/stack/src/services.js';
import { launcherSets } from './launcher-sets.js';

/** Its default differs from machine to machine. */
const NO_DEFAULT = new Set(['SLUICE_INSTANCE']);

/** What the launcher tells of the queue, whichever it is. */
const QUEUE = {
  SLUICE_TRANSPORT: '',
  SLUICE_TRANSPORT_URL: '',
  SLUICE_KAFKA_BROKERS: '',
  SLUICE_KAFKA_PREFIX: '',
};

interface Setting {
  readonly name: string;
  readonly what: string;
  /** What it may be, and what it is if left out. */
  readonly values: string;
  readonly apps: ReadonlySet<string>;
  /** Whether `npm start` sets it itself. */
  readonly set: boolean;
}

const INTRODUCTION = `# Settings

<!-- Written by npm run settings from the schemas that the apps read their environment by. -->

Every setting is an environment variable. \`npm start\` checks all of them before it starts anything, passes those of an app on to it, and
sets the marked ones itself. A setting without a default is required, unless its description says what follows when it is left out.
[several-machines.md](several-machines.md) says how to use them without the launcher.
`;

/** The text of docs/settings.md. */
export function settingsReference(): string {
  const settings = settingsOfApps();
  const everywhere = settings.filter(({ apps }) => apps.size >= SERVICES.length - 1);
  return [
    INTRODUCTION,
    '## The launcher\n',
    table(['setting', 'values', 'what'], settingsIn(LauncherEnvironment).map(row)),
    '## Every app\n',
    table(
      ['setting', 'values', 'what', '`npm start`', 'not in'],
      everywhere.map(each => [...row(each), each.set ? 'sets it' : '', but(each.apps)]),
    ),
    '## Some apps\n',
    table(
      ['setting', 'app', 'values', 'what', '`npm start`'],
      settings
        .filter(each => !everywhere.includes(each))
        .map(each => {
          const [name, values, what] = row(each);
          return [name, [...each.apps].join(', '), values, what, each.set ? 'sets it' : ''];
        }),
    ).trimEnd(),
    '',
  ].join('\n');
}

/** The apps' settings; two of one name that mean different things come apart. */
function settingsOfApps(): Setting[] {
  const found = new Map<string, Setting>();
  for (const service of SERVICES) {
    const told = new Set(Object.keys(launcherSets(service, QUEUE)));
    for (const setting of settingsOf(service.name).flatMap(schema => settingsIn(schema, told))) {
      const key = `${setting.name} ${setting.what}`;
      const known = found.get(key);
      const apps = new Set([...(known?.apps ?? []), service.name]);
      found.set(key, { ...setting, apps, set: setting.set || known?.set === true });
    }
  }
  return [...found.values()];
}

function settingsIn(schema: z.ZodObject, told: ReadonlySet<string> = new Set()): Setting[] {
  return Object.entries(schema.shape).map(([name, value]) => {
    const what = (value as z.ZodType).description;
    if (what === undefined) throw new Error(`${name} has no description: add .describe('…') at its end`);
    return { name, what, values: valuesOf(name, value as z.ZodType), apps: new Set(), set: told.has(name) };
  });
}

function valuesOf(name: string, schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const { minimum, exclusiveMinimum, maximum, minLength, maxLength } = json;
  const least = minimum ?? (typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : undefined);
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const number = (value: number) => (most === 65_535 ? String(value) : value.toLocaleString('en'));
  const parts = [
    ...(json.enum === undefined ? [] : [json.enum.map(each => `\`${String(each)}\``).join(', ')]),
    ...(json.format === 'uri' ? ['a URL'] : []),
    ...range(least, most, number, ''),
    ...range(minLength, maxLength, number, ' characters'),
  ];
  const { default: value } = json;
  if (value !== undefined && value !== '' && !NO_DEFAULT.has(name))
    parts.push(`default \`${typeof value === 'string' ? value : JSON.stringify(value)}\``);
  return parts.join('; ');
}

function range(
  least: number | undefined,
  most: number | undefined,
  number: (value: number) => string,
  unit: string,
): string[] {
  if (most !== undefined) return [`${number(least ?? 0)} to ${number(most)}${unit}`];
  return least === undefined || (least <= 1 && unit !== '') ? [] : [`${number(least)} or more${unit}`];
}

function row({ name, values, what }: Setting): [string, string, string] {
  return [`\`${name}\``, values, what];
}

function but(apps: ReadonlySet<string>): string {
  return SERVICES.flatMap(({ name }) => (apps.has(name) ? [] : [name])).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map(each => each.map(cell => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, n) => Math.max(3, ...cells.map(each => each[n]!.length)));
  const line = (each: readonly string[]) =>
    `| ${each.map((cell, n) => cell.padEnd(widths[n]!)).join(' | ')} |`;
  return [
    line(cells[0]!),
    line(widths.map(width => '-'.repeat(width))),
    ...cells.slice(1).map(line),
    '',
  ].join('\n');
}
