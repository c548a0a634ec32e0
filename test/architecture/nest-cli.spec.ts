import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

interface Cli {
  readonly projects: Readonly<
    Record<string, { readonly compilerOptions: { readonly tsConfigPath: string } }>
  >;
}

it('Nest knows every app and every library', () => {
  const { projects } = JSON.parse(readFileSync('nest-cli.json', 'utf8')) as Cli;
  for (const [folder, type, entryFile, config] of [
    ['apps', 'application', 'main', 'tsconfig.app.json'],
    ['libs', 'library', 'index', 'tsconfig.lib.json'],
  ] as const) {
    for (const name of readdirSync(folder).filter(each => existsSync(join(folder, each, 'src')))) {
      const root = `${folder}/${name}`;
      const tsConfigPath = `${root}/${config}`;
      // What is missing here is to be added to nest-cli.json, and the file beside the code.
      expect({ [name]: projects[name] }).toEqual({
        [name]: { type, root, entryFile, sourceRoot: `${root}/src`, compilerOptions: { tsConfigPath } },
      });
      expect(existsSync(tsConfigPath)).toBe(true);
    }
  }
});
