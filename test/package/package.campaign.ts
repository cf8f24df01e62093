import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { type RunningProgram, startProgram } from '../support/child-process.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { sendRequest } from '../support/raw-http.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { installNode } from './install-node.ts';
import { type InstalledPackage, installPackage } from './install-package.ts';

const newest = '26.12.1';
/** The oldest, its newest minor version, and the newest. */
const supported = ['24.0.0', '24.22.3', newest];
/** The first with modules, and those that distributions still ship. */
const tooOld = ['12.22.12', '20.20.2', '22.23.5'];

const INSTALL_TIMEOUT = 600_000;

const certificate = selfSigned();
const certificates = [{ thumbprint: certificate.thumbprint }];
const record = { client_id: 'device', token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates };

let installed: InstalledPackage;
const nodes = new Map<string, string>();
beforeAll(() => {
  installed = installPackage(temporaryDirectory());
  for (const version of [...supported, ...tooOld]) nodes.set(version, installNode(version));
}, INSTALL_TIMEOUT);

/** `env` in the first line of the command finds this version of Node.js. */
const environment = (version: string, env: Record<string, string> = {}) => ({
  ...env,
  PATH: [nodes.get(version) ?? '', process.env.PATH ?? ''].join(delimiter),
});
const run = async (version: string, args: readonly string[], env: Record<string, string> = {}) => {
  const cwd = temporaryDirectory();
  const finished = await runProgram(installed.command, args, { cwd, env: environment(version, env) });
  return { ...finished, stdout: finished.stdout.toString() };
};
/** @returns standard output */
const succeed = async (version: string, args: readonly string[], env: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await run(version, args, env);
  expect([code, stderr], args.join(' ')).toEqual([0, '']);
  return stdout;
};
const start = async (version: string, args: readonly string[], env: Record<string, string>, until: string) => {
  const cwd = temporaryDirectory();
  const program = startProgram(installed.command, args, { cwd, env: environment(version, env) });
  const started = () => program.stdout().includes(until);
  await eventually(() => started() || program.hasExited(), program.stdout, 20_000);
  expect(started(), program.stderr()).toBe(true);
  return program;
};
const file = (name: string, content: string) => {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
};

describe('the installed package', () => {
  test('needs no other package', () => {
    expect(installed.packages).toEqual(['countersign']);
  });

  test('contains the build with its source maps, the examples and the documentation, and neither source nor tests', () => {
    const files = globSync('**/*.*', { cwd: installed.folder });
    const expected = ['dist/countersign.js', 'LICENSE', 'README.md', 'CHANGELOG.md', 'nginx/countersign.conf'];
    const paths = [...expected, 'docs/clients.schema.json', 'deploy/terminators/envoy.yaml'];
    expect(paths.filter((path) => globSync(path, { cwd: installed.folder }).length === 0)).toEqual([]);
    const isSource = (path: string) => path.endsWith('.ts') && path !== 'dist/countersign.d.ts';
    expect(files.filter((path) => isSource(path) || path.startsWith('test'))).toEqual([]);
    const scripts = files.filter((path) => path.endsWith('.js'));
    expect(scripts.filter((path) => !files.includes(`${path}.map`) && !isEmpty(path))).toEqual([]);
  });

  test('contains every file that its documentation links to', () => {
    const pages = globSync('**/*.md', { cwd: installed.folder });
    expect(pages.length).toBeGreaterThan(60);
    const broken = pages.flatMap((page) => {
      const text = readFileSync(join(installed.folder, page), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(([, link = '']) => link);
      return links
        .filter((link) => !existsSync(join(installed.folder, dirname(page), link)))
        .map((link) => [page, link]);
    });
    expect(broken).toEqual([]);
  });

  test('declares the types of records', async () => {
    const directory = join(installed.folder, '../..');
    const check = async (name: string, records: string) => {
      const source = `import type { Records } from 'countersign';\nexport const records: Records = ${records};\n`;
      writeFileSync(join(directory, `${name}.ts`), source);
      const options = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--types', ''];
      const tsc = join(repositoryRoot, 'node_modules/.bin/tsc');
      const { code, stdout } = await runProgram(tsc, [...options, `${name}.ts`], { cwd: directory });
      return [code, stdout.toString()];
    };
    expect(await check('valid', JSON.stringify({ clients: [record], resources: [] }))).toEqual([0, '']);
    const invalid = JSON.stringify({ clients: [{ ...record, scopes: 'read' }] });
    expect(await check('invalid', invalid)).toEqual([
      1,
      expect.stringMatching(/scopes"?' does not exist in type 'ClientRecord'/),
    ]);
  });

  test('names its documentation by URLs, in a folder of any name', async () => {
    const copy = join(temporaryDirectory(), 'Größe #1 (100 %)', 'countersign');
    cpSync(installed.folder, copy, { recursive: true });
    const command = [join(copy, 'dist/countersign.js'), 'rejections', 'path_validation_postponed'];
    const printed = await Promise.all(
      [['--help'], []].map((options) => runProgram(process.execPath, [...command, ...options])),
    );
    const urls = printed.map(({ stdout }) => /file:\/\/\/\S+\.md/.exec(stdout.toString())?.[0] ?? '');
    expect(urls.map((url) => relative(copy, fileURLToPath(url)))).toEqual(['docs/rejections.md', 'docs/chains.md']);
    expect(urls.join()).toMatch(/^[!-~]+$/);
  });

  test('runs with npx', async () => {
    const cwd = join(installed.folder, '../..');
    const npx = ['--no-install', '--offline', 'countersign', 'rejections', 'client_unknown'];
    const { code, stdout } = await runProgram('npx', npx, { cwd });
    expect([code, stdout.toString()]).toEqual([0, expect.stringContaining('client_unknown')]);
  });

  test('names each package of the build with its version and license', () => {
    const read = (name: string) => readFileSync(join(installed.folder, 'dist', name), 'utf8');
    const { components } = JSON.parse(read('sbom.cdx.json'));
    const names = components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['hono', 'jose', 'ioredis', '@peculiar/x509', 'zod', 'yaml']));
    expect(names).not.toContain('vitest');
    const licenses = read('THIRD-PARTY-LICENSES.txt');
    for (const { name, version } of components) expect(licenses).toContain(`${name} ${version} (`);
  });
});

/** A chunk that only imports others has no source map. */
function isEmpty(path: string): boolean {
  return !readFileSync(join(installed.folder, path), 'utf8').includes('sourceMappingURL');
}

test.each(tooOld)('each command reports in one line that it needs Node.js 24, with Node.js %s', async (version) => {
  for (const args of [['--version'], ['--help'], ['serve'], ['clients', 'list']]) {
    const { code, stdout, stderr } = await run(version, args);
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      `countersign: needs Node.js 24 or later; this is Node.js ${version}\n`,
    ]);
  }
});

describe.each(supported)('the installed package with Node.js %s', (version) => {
  test('prints its version and the help of every command', async () => {
    const { version: own } = JSON.parse(readFileSync(join(installed.folder, 'package.json'), 'utf8'));
    expect(await succeed(version, ['--version'])).toBe(`${own}\n`);
    for (const parent of [[], ['clients']]) {
      const [list = ''] = (await succeed(version, [...parent, '--help'])).split('\nExamples:\n');
      const names = [...list.matchAll(/^ {2}([a-z]+)(?= .*|$)/gm)].map(([, name = '']) => name);
      expect(names).toContain('help');
      for (const name of names) {
        const usage = `Usage: countersign ${[...parent, name].join(' ')}`;
        expect(await succeed(version, [...parent, name, '--help'])).toContain(usage);
      }
    }
  });

  test('prints a certificate, and checks a file that is parsed in a worker', async () => {
    const path = file('certificate.pem', certificate.pem);
    expect(await succeed(version, ['certificate', path])).toContain(certificate.thumbprint);
    const large = file('clients.yaml', `# ${'x'.repeat(20_000)}\n${JSON.stringify([record])}`);
    expect(await succeed(version, ['clients', 'check', large])).toContain('1 valid client, 0 warnings, 0 errors');
    expect(JSON.parse(await succeed(version, ['clients', 'schema']))).toHaveProperty('$schema');
  });

  test('serves a token', async () => {
    const socket = join(temporaryDirectory(), 'socket');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const env = {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: `unix:${socket}`,
      COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      COUNTERSIGN_CLIENTS_FILE: file('clients.json', JSON.stringify([record])),
    };
    const server = await start(version, ['serve'], env, '"listening"');
    try {
      const lines = [
        `X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`,
        'X-SSL-Client-Verify: FAILED:self-signed',
      ];
      const body = { grant_type: 'client_credentials', client_id: 'device' };
      const { status, body: text } = await sendRequest(`unix:${socket}`, { lines, body });
      expect([status, decodeJwt(JSON.parse(text).access_token)]).toMatchObject([200, { client_id: 'device' }]);
    } finally {
      await expectStopped(server);
    }
  });

  test('runs the development server', async () => {
    const port = String(await freePort());
    await expectStopped(await start(version, ['dev', '--port', port], {}, 'Ctrl-C'));
  });
});

async function expectStopped(program: RunningProgram): Promise<void> {
  expect([await program.stop(), program.stderr()]).toEqual([0, '']);
}

/** Run by the tests above. */
const otherCommands = ['serve', 'dev', 'certificate', 'clients check', 'clients schema', 'help'];
const aliases = /\b(?:validate|ls|rm|get|delete|help)$/;

/** In this order. Every other command has a line. */
const commands: readonly (readonly [commandLine: string, output: string, code?: number])[] = [
  ['clients import identityserver IDENTITYSERVER', 'client_id: moved'],
  ['clients import keycloak KEYCLOAK', 'client_id: moved'],
  ['clients plan -f RECORDS', '+ device'],
  ['clients apply -f RECORDS', '+ device'],
  ['clients list', 'device'],
  ['clients show device', certificate.thumbprint],
  ['clients disable device', 'device'],
  ['clients enable device', 'device'],
  ['clients export', 'client_id: device'],
  ['clients remove device', 'device'],
  ['resources list', 'orders'],
  ['resources show orders', 'https://orders.example'],
  ['resources remove orders', 'orders was removed'],
  ['keys create', 'signs until'],
  ['keys list', 'signing'],
  ['keys rotate --now', 'signs'],
  ['keys retire unknown', 'no key with this kid', 1],
  ['keys reseal', 'sealed anew'],
  ['keys export --public', '"keys"'],
  ['tokens revoke --client device', 'is revoked'],
  ['tokens revoked', 'device'],
  ['rejections client_unknown', 'Cause'],
  ['completion bash', '_countersign()'],
  ['doctor --url https://127.0.0.1:1 --operations http://127.0.0.1:1', 'cannot reach the operations listener', 1],
  ['token --url https://127.0.0.1:1 --cert CERTIFICATE', '--cert requires --key', 2],
];

describeWith(['redis-server'], 'every command of the installed package', () => {
  test('is run by a test', async () => {
    const completion = await succeed(newest, ['completion', 'bash']);
    const [, all = ''] = /^ +((?:' [a-z ]+'\|?)+)\)/m.exec(completion) ?? [];
    const known = [...all.matchAll(/' ([a-z ]+)'/g)].map(([, name = '']) => name).filter((name) => !aliases.test(name));
    const leaves = known.filter((name) => !known.some((other) => other.startsWith(`${name} `)));
    const run = [...otherCommands, ...commands.map(([line]) => line)];
    expect(leaves.length).toBeGreaterThan(25);
    expect(leaves.filter((name) => !run.some((line) => line === name || line.startsWith(`${name} `)))).toEqual([]);
  });

  test.each(supported.slice(1))('does what it should with Node.js %s', async (version) => {
    const env = {
      COUNTERSIGN_REDIS_URL: redisUrl(),
      COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix(),
      COUNTERSIGN_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    };
    const secret = { Type: 'X509Name', Value: 'CN=moved' };
    const attributes = { 'x509.subjectdn': 'CN=moved' };
    const keycloak = {
      clientId: 'moved',
      clientAuthenticatorType: 'client-x509',
      serviceAccountsEnabled: true,
      attributes,
    };
    const resource = { name: 'orders', resource: 'https://orders.example', scope: 'read', binding: 'caller' };
    const files: Readonly<Record<string, string>> = {
      RECORDS: file('records.json', JSON.stringify([record, resource])),
      IDENTITYSERVER: file(
        'clients.json',
        JSON.stringify({
          Clients: [
            {
              ClientId: 'moved',
              AllowedGrantTypes: ['client_credentials'],
              AllowedScopes: ['read'],
              ClientSecrets: [secret],
            },
          ],
          ApiScopes: [{ Name: 'read' }],
          ApiResources: [{ Name: 'https://orders.example', Scopes: ['read'] }],
        }),
      ),
      KEYCLOAK: file('realm.json', JSON.stringify({ accessTokenLifespan: 300, clients: [keycloak] })),
      CERTIFICATE: file('certificate.pem', certificate.pem),
    };
    for (const [line, output, expected = 0] of commands) {
      const args = line.split(' ').map((word) => files[word] ?? word);
      const { code, stdout, stderr } = await run(version, args, env);
      expect([line, code, `${stdout}${stderr}`]).toEqual([line, expected, expect.stringContaining(output)]);
    }
    expect(await succeed(version, ['clients', 'export'], env)).toBe('clients: []\nresources: []\n');
  });
});
