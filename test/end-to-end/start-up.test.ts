import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { runCountersign, startCountersign } from '../support/countersign.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Appends the URL of each module that the process loads to the file. */
const recorder = (file: string) => {
  const code = `
    import { appendFileSync } from 'node:fs';
    import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (appendFileSync(${JSON.stringify(file)}, url + '\\n'), next(url, context)) });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
};

/** The modules of Node.js and the packages in the chunks that `run` loads. */
async function loadedBy(run: (env: Record<string, string>) => Promise<unknown>): Promise<ReadonlySet<string>> {
  const file = join(temporaryDirectory(), 'loaded');
  await run(recorder(file));
  const urls = readFileSync(file, 'utf8').trim().split('\n');
  const maps = urls.map((url) => new URL(`${url}.map`)).filter((map) => map.protocol === 'file:' && existsSync(map));
  const sources: string[] = maps.flatMap((map) => JSON.parse(readFileSync(map, 'utf8')).sources);
  const packages = sources.map((source) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? '');
  return new Set([...urls, ...packages]);
}

const file = (name: string, content: string) => {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
};
const run = (...args: string[]) =>
  loadedBy(async (env) => expect(await runCountersign(args, { env })).toMatchObject({ code: 0 }));
const serve = (clients: Record<string, string>) =>
  loadedBy(async (env) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const server = await startCountersign({
      env: {
        ...env,
        ...clients,
        COUNTERSIGN_ISSUER: 'https://auth.example',
        COUNTERSIGN_TERMINATOR: 'nginx',
        COUNTERSIGN_LISTEN: '127.0.0.1:0',
        COUNTERSIGN_SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
    });
    expect(await server.stop()).toBe(0);
  });

/** Those that take longest to load. */
const large = [
  '@peculiar/x509',
  'hono',
  'ioredis',
  'prom-client',
  'string-width',
  'yaml',
  'zod',
  'node:crypto',
  'node:http',
  'node:tls',
];
const certificates = [{ thumbprint: selfSigned().thumbprint }];
const record = { client_id: 'a', token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates };

test.each([
  ['--version', [], () => run('--version')],
  ['--help', [], () => run('--help')],
  ['certificate', ['yaml', 'zod', 'node:crypto'], () => run('certificate', file('certificate.pem', selfSigned().pem))],
  ['certificate with a CA', ['yaml', 'node:crypto'], () => run('certificate', file('ca.pem', createTestCa().pem))],
  [
    'serve with a clients file',
    ['hono', 'prom-client', 'yaml', 'zod', 'node:crypto', 'node:http', 'node:tls'],
    () => serve({ COUNTERSIGN_CLIENTS_FILE: file('clients.json', JSON.stringify([record])) }),
  ],
  [
    'serve with Redis',
    ['hono', 'ioredis', 'prom-client', 'zod', 'node:crypto', 'node:http', 'node:tls'],
    () => serve({ COUNTERSIGN_REDIS_URL: 'redis://127.0.0.1:1' }),
  ],
] as const)('%s loads of the large modules only %j', async (_, expected, load) => {
  const loaded = await load();
  expect(large.filter((name) => loaded.has(name))).toEqual([...expected]);
});

test.each(['--version', '--help'])(
  '%s opens three files of the build: the command, its program, and what all commands share',
  async (option) => {
    const loaded = await run(option);
    expect([...loaded].filter((url) => url.startsWith('file:'))).toHaveLength(3);
    expect(loaded).not.toContain('node:child_process');
  },
);

test('the built command is executable, as npx in a clone requires', () => {
  expect(statSync(inject('countersign')).mode & 0o111).toBe(0o111);
});

test('the command requires the Node.js that package.json names', () => {
  const { engines } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  const [, major = ''] = /^>=(\d+)$/.exec(engines.node) ?? [];
  expect(readFileSync(join(repositoryRoot, 'src/countersign.ts'), 'utf8')).toContain(`REQUIRED_MAJOR = ${major};`);
});
