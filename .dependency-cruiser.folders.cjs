/**
 * No cycles between folders. Tests are left out: they stand beside what they test and use the test kit, which uses
 * what they test.
 */
const { options } = require('./.dependency-cruiser.cjs');

module.exports = {
  forbidden: [
    {
      name: 'no-cycles-between-folders',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
  ],
  options: { ...options, exclude: { path: `${options.exclude.path}|spec\\.ts$` } },
};
