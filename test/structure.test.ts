import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from './support/repository-root.ts';

/** The folders of src/ in the order of a request. A folder imports from those before it, and from itself. */
const journey = [
  'text',
  'oauth',
  'certificate',
  'certification-path',
  'cache',
  'json',
  'terminator',
  'redis',
  'clients',
  'client-files',
  'migration',
  'administration',
  'authentication',
  'grants',
  'tokens',
  'operations',
  'revocation',
  'configuration',
  'endpoints',
  'development',
  'doctor',
] as const;

/** Where a folder may import less than all before it. */
const narrower: Readonly<Record<string, readonly string[]>> = {
  text: [],
  oauth: [],
  certificate: ['text'],
  'certification-path': ['text', 'certificate'],
  cache: [],
  json: [],
  terminator: ['text', 'certificate', 'cache'],
  redis: [],
  clients: ['text', 'oauth', 'certificate', 'cache', 'json', 'redis'],
  // `operations` stands on nothing.
  'client-files': ['text', 'oauth', 'certificate', 'json', 'clients', 'operations'],
  migration: ['text', 'oauth', 'certificate', 'json', 'clients', 'client-files'],
  administration: ['text', 'oauth', 'certificate', 'redis', 'clients', 'client-files'],
  tokens: ['text', 'oauth', 'certificate', 'clients'],
  operations: [],
  revocation: ['text', 'certificate', 'certification-path', 'redis', 'operations'],
};

/** The one folder that imports a library, or the files that do. */
const homes: Readonly<Record<string, string | readonly string[]>> = {
  '@peculiar/x509': 'certificate/make-certificate.ts',
  'reflect-metadata': 'certificate/make-certificate.ts',
  jose: 'tokens/',
  ioredis: 'redis/',
  zod: 'clients/',
  'lru-cache': 'cache/',
  pino: 'operations/',
  'prom-client': 'operations/',
  'string-width': 'commands/display-width.ts',
  // Read as strictly as records must be, written with comments, and written for tools of YAML 1.1.
  yaml: ['client-files/parse-yaml.ts', 'migration/render.ts', 'commands/document.ts'],
  commander: [
    'main.ts',
    ...['', 'import-', 'plan-', 'records-'].map((part) => `commands/clients/${part}program.ts`),
    'commands/clients/format-option.ts',
  ],
};

const source = join(repositoryRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports = files.flatMap((file) => {
  const text = readFileSync(join(source, file), 'utf8');
  const found = [...text.matchAll(/^(?:import|export)\s(type\s)?[^;]*?from '([^']+)'|^import '([^']+)'/gm)];
  return found.map(([, type, from, bare]) => ({ file, typeOnly: type !== undefined, target: from ?? bare ?? '' }));
});
const folderOf = (file: string) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '');

describe('imports point up the journey of a request', () => {
  const inner = imports.filter(({ target }) => target.startsWith('.'));

  test('there are some to look at', () => {
    expect(inner.length).toBeGreaterThan(50);
  });

  test.each(journey)('%s/', (folder) => {
    const allowed = narrower[folder] ?? journey.slice(0, journey.indexOf(folder));
    const wrong = inner
      .filter(({ file }) => folderOf(file) === folder)
      .map(({ file, target }) => ({ file, to: relative(source, join(source, dirname(file), target)) }))
      .filter(({ to }) => folderOf(to) !== folder && !allowed.includes(folderOf(to)));
    expect(wrong).toEqual([]);
  });

  test('no folder is forgotten', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(['', 'commands', ...journey].sort());
  });
});

test.each(Object.entries(homes))('%s has one home: %s', (library, home) => {
  const importers = imports.filter(({ target }) => target === library).map(({ file }) => file);
  expect(importers.length).toBeGreaterThan(0);
  expect(importers.filter((file) => ![home].flat().some((place) => file.startsWith(place)))).toEqual([]);
});

test('only config.ts reads the environment', () => {
  const readers = files.filter((file) => readFileSync(join(source, file), 'utf8').includes('process.env'));
  expect(readers).toEqual(['config.ts']);
});
