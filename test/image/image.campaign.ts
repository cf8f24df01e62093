import { generateKeyPairSync } from 'node:crypto';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import type { RunningProgram } from '../support/child-process.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { sendRequest } from '../support/raw-http.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runInstaller } from '../support/run-installer.ts';
import { type FinishedProgram, runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { buildCountersignImage, imageRevision } from './countersign-image.ts';
import { containerEnvironment, podman } from './image-store.ts';
import { type ContainerOptions, containerArguments, startContainer } from './running-container.ts';

/** A first build makes the base image, which takes minutes. */
const BUILD_TIMEOUT = 1_800_000;

/** The user of the image. */
const UID = 65532;

let image: string;
beforeAll(() => {
  image = buildCountersignImage();
}, BUILD_TIMEOUT);

const dockerfile = readFileSync(join(repositoryRoot, 'deploy/Dockerfile'), 'utf8');

const run = (args: readonly string[], options?: ContainerOptions) =>
  runProgram('podman', containerArguments(image, args, options), { env: containerEnvironment() });
/** Lists what a shell prints. The image needs none itself. */
const shell = async (script: string) => {
  const { stdout } = await run(['-c', script], { entrypoint: ['sh'] });
  return stdout.toString().split('\n').filter(Boolean).sort();
};

describe('deploy/Dockerfile', () => {
  test('names its base image once, by digest, and uses it in each stage', () => {
    expect(dockerfile.match(/@sha256:[0-9a-f]{64}$/gm)).toHaveLength(1);
    const bases = dockerfile.match(/^FROM .+/gm) ?? [];
    expect(bases.length).toBeGreaterThan(1);
    expect(bases.filter((line) => !/^FROM (--platform=\$BUILDPLATFORM )?\$\{NODE_IMAGE\}/.test(line))).toEqual([]);
  });

  test('starts the program without a shell, as a user with a number', () => {
    const [{ Config: config }] = JSON.parse(podman(['image', 'inspect', image]));
    expect(config).toMatchObject({
      User: `${UID}:${UID}`,
      Entrypoint: ['node', '/app/dist/countersign.js'],
      Cmd: ['serve'],
    });
    expect(config.Labels).toMatchObject({ 'org.opencontainers.image.revision': imageRevision });
    expect(config.Env.filter((variable: string) => !variable.startsWith('PATH='))).toEqual([]);
  });
});

describe('the image', () => {
  test('contains the files of the npm package but the documentation, none of which its user can write', async () => {
    const [{ files }] = JSON.parse(
      runInstaller('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', repositoryRoot]),
    );
    const expected: string[] = files.map(({ path }: { path: string }) => path);
    const found = await shell('cd /app && find . ! -type d');
    const outsideBuild = (path: string) => !path.startsWith('dist/');
    expect(found.map((path) => path.slice('./'.length)).filter(outsideBuild)).toEqual(
      expected.filter((path) => outsideBuild(path) && !path.startsWith('docs/')).sort(),
    );
    expect(await shell('find /app ! -user 0 -o -perm /022 ! -type l')).toEqual([]);
  });

  test('contains no package manager of Node.js, and no source', async () => {
    expect(await shell('command -v npm npx yarn corepack; ls -d /source /usr/local/lib/node_modules')).toEqual([]);
  });

  test('prints its help and version', async () => {
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
    expect(await run(['--version'])).toMatchObject({ code: 0, stderr: '', stdout: Buffer.from(`${version}\n`) });
    const help = (await run(['--help'])).stdout.toString();
    expect(help).toMatch(/^Usage: countersign .*\nDocumentation: docs\/README\.md\n$/s);
    // As in "kubectl exec deploy/countersign -- countersign --version".
    const byName = await run(['--version'], { entrypoint: ['countersign'] });
    expect(byName.stdout.toString()).toBe(`${version}\n`);
  });

  test('serves by default, and lists the settings that are missing', async () => {
    const { code, stderr } = await run([]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('countersign: COUNTERSIGN_ISSUER: is missing')]);
  });
});

/** A folder that the user of the image owns, as a volume of a Pod with its `fsGroup`. */
function ownFolder(): string {
  const folder = temporaryDirectory();
  chownSync(folder, UID, UID);
  return folder;
}

/** @returns the path of a file that only the user of the image can read */
function secretFile(folder: string, name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o400 });
  chownSync(path, UID, UID);
  return path;
}

const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
const client = clientCa.issue({ dns: ['billing.example'] });
const record = {
  client_id: 'billing',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'billing.example',
};

interface Served {
  readonly container: RunningProgram;
  readonly socket: string;
  readonly operations: string;
}

/** `serve`, with each file below `/etc/countersign`, and a Unix socket in a mounted folder. */
async function serve(settings: Readonly<Record<string, string>> = {}): Promise<Served> {
  const files = ownFolder();
  const sockets = ownFolder();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  secretFile(files, 'signing-key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  writeFileSync(join(files, 'client-ca.pem'), clientCa.pem);
  writeFileSync(join(files, 'clients.json'), JSON.stringify([record]));
  const operations = `127.0.0.1:${await freePort()}`;
  const container = startContainer(image, [], {
    env: {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: 'unix:/run/countersign/countersign.sock',
      COUNTERSIGN_OPERATIONS_LISTEN: operations,
      COUNTERSIGN_SIGNING_KEY_FILE: '/etc/countersign/signing-key.pem',
      COUNTERSIGN_CLIENT_CA_FILE: '/etc/countersign/client-ca.pem',
      COUNTERSIGN_CLIENTS_FILE: '/etc/countersign/clients.json',
      ...settings,
    },
    mounts: { '/etc/countersign': files, '/run/countersign:rw': sockets },
  });
  const started = () => container.stdout().includes('"listening"');
  await eventually(() => started() || container.hasExited(), container.stdout, 60_000);
  expect(started(), container.stderr()).toBe(true);
  return { container, socket: `unix:${join(sockets, 'countersign.sock')}`, operations: `http://${operations}` };
}

const requestToken = async (socket: string, { pem }: MintedCertificate) => {
  const lines = [`X-SSL-Client-Cert: ${encodeURIComponent(pem)}`, 'X-SSL-Client-Verify: SUCCESS'];
  const body = { grant_type: 'client_credentials', client_id: 'billing' };
  return sendRequest(socket, { lines, body });
};

describe('a container with a read-only root, without capabilities', () => {
  test('answers its probes, issues a token, and drains on SIGTERM', async () => {
    const { container, socket, operations } = await serve();
    for (const probe of ['/livez', '/readyz']) expect((await fetch(`${operations}${probe}`)).status, probe).toBe(200);
    expect(await (await fetch(`${operations}/metrics`)).text()).toContain(`,revision="${imageRevision}",`);
    const { status, body } = await requestToken(socket, client);
    expect([status, decodeJwt(JSON.parse(body).access_token)]).toMatchObject([200, { client_id: 'billing' }]);
    const stranger = await requestToken(socket, createTestCa().issue({ dns: ['billing.example'] }));
    expect([stranger.status, JSON.parse(stranger.body).error]).toEqual([400, 'invalid_client']);
    expect(await container.stop()).toBe(0);
    expect(container.stdout()).toContain('"event":"stopped"');
    expect(container.stderr()).toBe('');
  });

  test('runs as its numeric user with no privileges', async () => {
    const { container, socket } = await serve();
    const name = podman(['ps', '--latest', '--format', '{{.Names}}']).trim();
    const [{ State: state }] = JSON.parse(podman(['inspect', name]));
    const status = readFileSync(`/proc/${state.Pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\s65532\s65532\s65532\s65532$/m);
    expect(status).toMatch(/^CapEff:\s0{16}$/m);
    expect(status).toMatch(/^CapBnd:\s0{16}$/m);
    expect(status).toMatch(/^NoNewPrivs:\s1$/m);
    expect(readFileSync(`/proc/${state.Pid}/cmdline`, 'utf8').split('\0').slice(0, 3)).toEqual([
      'node',
      '/app/dist/countersign.js',
      'serve',
    ]);
    expect((await requestToken(socket, client)).status).toBe(200);
    expect(await container.stop()).toBe(0);
  });
});

describeWith(['redis-server'], 'the image manages clients in Redis', () => {
  test('as a Job does: files in a mounted folder, the URL in a secret', async () => {
    const folder = ownFolder();
    writeFileSync(join(folder, 'clients.json'), JSON.stringify([record]));
    secretFile(folder, 'redis-url', redisUrl());
    const env = { COUNTERSIGN_REDIS_URL_FILE: '/data/redis-url', COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix() };
    const options = { env, mounts: { '/data': folder } };
    const applied = await run(['clients', 'apply', '-f', '/data/clients.json'], options);
    expect(describeResult(applied)).toEqual([0, expect.stringContaining('+ billing')]);
    expect(describeResult(await run(['clients', 'list'], options))).toEqual([0, expect.stringContaining('billing')]);
  });
});

function describeResult({ code, stdout, stderr }: FinishedProgram): readonly [number, string] {
  return [code, `${stdout}${stderr}`];
}
