import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generateDocuments } from '../../docs/generate.ts';
import { settingsHelp } from '../../src/settings/reference.ts';
import { allSettings, variablesOf } from '../../src/settings/table.ts';

const variables = allSettings.flatMap(variablesOf);

describe('the settings table', () => {
  test('contains each name once', () => {
    expect(variables.toSorted()).toEqual([...new Set(variables)].sort());
    expect(variables.length).toBeGreaterThan(35);
  });

  test('refers to names that exist, and to former names that do not', () => {
    const references = allSettings.flatMap(({ requires, onlyWith = [], requiredUnless = [] }) => [
      ...(requires?.anyOf ?? []),
      ...onlyWith,
      ...[requiredUnless].flat(),
    ]);
    expect(references.filter((name) => !variables.includes(name))).toEqual([]);
    const formerNames = allSettings.flatMap((setting) => setting.formerNames ?? []);
    expect(formerNames.filter((name) => variables.includes(name))).toEqual([]);
  });

  test.each(allSettings.map((setting) => [setting.name, setting] as const))('%s has a valid default', (_, setting) => {
    const { default: text, parse } = setting;
    if (text !== undefined) expect(() => parse(text, () => {})).not.toThrow();
  });
});

test.each(generateDocuments().map(({ file, content }) => [basename(file.pathname), file, content] as const))(
  'docs/%s is up to date with its sources: npm run docs',
  (_, file, content) => {
    expect(readFileSync(file, 'utf8')).toBe(content);
  },
);

describe('the help of serve', () => {
  const lines = settingsHelp().split('\n');

  test('lists every setting, the required ones first', () => {
    const listed = lines.flatMap((line) => (/^ {2}COUNTERSIGN_/.test(line) ? line.trim().split(' or ') : []));
    expect(listed.toSorted()).toEqual(variables.map((name) => `COUNTERSIGN_${name}`).sort());
    const required = [
      ...['ISSUER', 'TERMINATOR', 'SIGNING_KEY_FILE', 'SIGNING_KEY', 'SIGNING_KEYS_DIR'],
      ...['KEY_ENCRYPTION_KEY_FILE', 'KEY_ENCRYPTION_KEY', 'CLIENTS_FILE', 'REDIS_URL_FILE', 'REDIS_URL'],
    ];
    expect(listed.slice(0, required.length)).toEqual(required.map((name) => `COUNTERSIGN_${name}`));
  });

  test('fits into 80 columns', () => {
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });
});
