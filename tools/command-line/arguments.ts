import { parseArgs } from 'node:util';
import type { z } from 'zod';

/**
 * A command's arguments: one word, and options that all take a value. With `--help`, it prints how the
 * command is used and exits.
 * @param word the key of the schema that the word without `--` is for
 * @throws what is wrong, and how the command is used
 */
export function readArguments<Schema extends z.ZodObject>(
  usage: string,
  word: string,
  schema: Schema,
  argv: readonly string[] = process.argv.slice(2),
): z.output<Schema> {
  const named = Object.keys(schema.shape).filter(name => name !== word);
  const options = Object.fromEntries(
    named.map(name => {
      // An option that takes a list may be given several times.
      const multiple = (schema.shape[name] as z.ZodType).safeParse([]).success;
      return [name, { type: 'string' as const, multiple }];
    }),
  );
  let positionals: string[];
  let values: Record<string, unknown>;
  try {
    const help = { type: 'boolean' as const };
    ({ positionals, values } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...options, help },
    }));
  } catch (error) {
    // The first sentence says what is wrong; the others are for the author of the options.
    throw new Error(`${(error as Error).message.split(/[.\n]/, 1)[0]}\n  ${usage}`, { cause: error });
  }
  if (values['help'] === true) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  if (positionals.length > 1) throw new Error(`"${positionals[1]}" is one word too many\n  ${usage}`);
  const parsed = schema.safeParse({ [word]: positionals[0], ...values });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path[0] === word ? message : `--${path.join('.')}: ${message}`,
  );
  throw new Error(`${problems.join('; ')}\n  ${usage}`);
}
