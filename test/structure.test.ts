import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from './support/repository-root.ts';

/** The folders of src/ in the order of a request. A folder imports from those before it, and from itself. */
const journey = [
  'errors',
  'files',
  'reasons',
  'oauth',
  'tokens/algorithms',
  'observability',
  'watch',
  'http',
  'pki/certificate',
  'pki/path',
  'cache',
  'terminator',
  'redis',
  'pki/crl',
  'clients',
  'resources',
  'clients/registry',
  'clients/files',
  'authentication',
  'grants',
  'tokens',
  'pages',
  'endpoints',
  'edge',
  'doctor/observer',
  'settings',
  'service',
  'administration/import',
  'administration',
  'doctor/probe',
  'development',
] as const;

/** The one folder that imports a library, or the files that do. */
const homes: Readonly<Record<string, string | readonly string[]>> = {
  '@peculiar/x509': 'pki/certificate/issue-certificate.ts',
  'reflect-metadata': 'pki/certificate/issue-certificate.ts',
  asn1js: 'development/pkcs12.ts',
  jose: 'tokens/',
  'jsonc-parser': 'clients/json-tokens.ts',
  ioredis: 'redis/',
  zod: ['clients/', 'resources/'],
  'lru-cache': 'cache/',
  'prom-client': 'observability/metrics.ts',
  '@opentelemetry/api': 'observability/tracing/otlp-tracer.ts',
  '@opentelemetry/sdk-trace': 'observability/tracing/otlp-tracer.ts',
  'string-width': 'commands/output/text.ts',
  yaml: ['administration/import/render.ts', 'clients/files/', 'commands/output/document.ts'],
  commander: [
    'commands/clients/',
    'commands/completion/',
    'commands/help.ts',
    'commands/keys/',
    'commands/resources/program.ts',
    'commands/token/program.ts',
    'commands/tokens/program.ts',
    'main.ts',
  ],
};

const source = join(repositoryRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports = files.flatMap((file) => {
  const text = readFileSync(join(source, file), 'utf8');
  const found = [
    ...text.matchAll(/^(?:import|export)\s(type\s)?[^;]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm),
  ];
  return found.map(([, type, ...targets]) => ({
    file,
    typeOnly: type !== undefined,
    target: targets.find((target) => target !== undefined) ?? '',
  }));
});
/** The room of a file: the longest entry of the journey that its path begins with. */
const folderOf = (file: string) => {
  const rooms = [...journey, 'commands'].filter((room) => file.startsWith(`${room}/`));
  return rooms.reduce((longest, room) => (room.length > longest.length ? room : longest), '');
};

describe('imports point up the journey of a request', () => {
  const inner = imports.filter(({ target }) => target.startsWith('.'));

  test('there are some to look at', () => {
    expect(inner.length).toBeGreaterThan(50);
  });

  test.each(journey)('%s/', (folder) => {
    const allowed: readonly string[] = journey.slice(0, journey.indexOf(folder));
    const wrong = inner
      .filter(({ file }) => folderOf(file) === folder)
      .map(({ file, target }) => ({ file, to: relative(source, join(source, dirname(file), target)) }))
      .filter(({ to }) => !['', folder, ...allowed].includes(folderOf(to)));
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

test('only environment.ts reads the environment', () => {
  const readers = files.filter((file) => readFileSync(join(source, file), 'utf8').includes('process.env'));
  expect(readers).toEqual(['environment.ts']);
});

test('only http/received-request.ts reads the header of a request from Node or Hono', () => {
  // These receive requests of the developer's own, and responses.
  const served = files.filter((file) => !/^(?:development|doctor\/probe|pki\/crl)\//.test(file));
  const readers = served.filter((file) =>
    /\.rawHeaders\b|headersDistinct|\breq\.header\(|incoming\.headers\.\w+\b(?! = )/.test(
      readFileSync(join(source, file), 'utf8'),
    ),
  );
  expect(readers).toEqual(['http/received-request.ts']);
});
