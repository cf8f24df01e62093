import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { type LogLine, type RunningCountersign, startCountersign } from '../support/countersign.ts';
import { formOf } from '../support/deployment.ts';
import { exact } from '../support/forged-headers.ts';
import { sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const certificate = selfSigned();
const client = (id: string, more: object = {}) => ({
  client_id: id,
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint: certificate.thumbprint }],
  ...more,
});
const named = { client_id: 'named', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a' };
const fileOf = (...clients: object[]) => JSON.stringify({ clients });

async function start({ onTestFinished }: TestContext, clientsFile: string): Promise<RunningCountersign> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const env = {
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: `unix:${join(temporaryDirectory(), 'countersign.sock')}`,
    COUNTERSIGN_SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    COUNTERSIGN_CLIENTS_FILE: clientsFile,
  };
  const countersign = await startCountersign({ env });
  onTestFinished(async () => void (await countersign.stop()));
  return countersign;
}

async function startOver(context: TestContext, content: string) {
  const file = join(temporaryDirectory(), 'clients.json');
  writeFileSync(file, content);
  return { file, countersign: await start(context, file) };
}

/** Replaces a file by something else. */
function replaceBy(file: string, make: (next: string) => void): void {
  make(`${file}.next`);
  rmSync(file, { recursive: true, force: true });
  renameSync(`${file}.next`, file);
}

const ofLength = (bytes: number) => (file: string) => {
  writeFileSync(file, '');
  truncateSync(file, bytes);
};

/** The given clients, without those that get no token. */
async function servedOf({ url }: RunningCountersign, ...ids: string[]): Promise<string[]> {
  const lines = ['Content-Type: application/x-www-form-urlencoded', ...exact(certificate)];
  const responses = ids.map(async (id) => (await sendRequest(url, { lines, body: formOf(id) })).status);
  const statuses = await Promise.all(responses);
  return ids.filter((_, index) => statuses[index] === 200);
}

/** Makes the change, and waits for the log line of the reload. */
async function reloadAfter(countersign: RunningCountersign, change: () => void): Promise<LogLine> {
  const isReload = ({ event }: LogLine) => event === 'clients_reloaded' || event === 'clients_reload_failed';
  const seen = countersign.lines.filter(isReload).length;
  change();
  await countersign.waitForEvent((line) => isReload(line) && countersign.lines.filter(isReload).length > seen, 10_000);
  return countersign.lines.filter(isReload).at(-1) as LogLine;
}

// Concurrently, because each test mostly waits for the file watch.
describe.concurrent('COUNTERSIGN_CLIENTS_FILE', () => {
  test('is reloaded with added, changed and removed clients', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a'), client('b'), client('c')));
    expect(await servedOf(countersign, 'a', 'b', 'c', 'd')).toEqual(['a', 'b', 'c']);
    const next = fileOf(client('a'), client('b', { enabled: false }), client('d'));
    const line = await reloadAfter(countersign, () => writeFileSync(file, next));
    expect(line).toMatchObject({ event: 'clients_reloaded', clients: 3, added: 1, changed: 1, removed: 1 });
    expect(await servedOf(countersign, 'a', 'b', 'c', 'd')).toEqual(['a', 'd']);
  });

  test('keeps the previous clients while it has errors, until they are fixed', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const invalid = fileOf(client('b'), client('c', { scopes: 'x' }), client('d', { access_token_lifetime: 1 }));
    const { event, reason } = await reloadAfter(countersign, () => writeFileSync(file, invalid));
    expect(event).toBe('clients_reload_failed');
    expect(reason).toMatch(/json:\d+:\d+: client "c": unknown field "scopes" \(did you mean "scope"\?\)/);
    expect(reason).toMatch(/json:\d+:\d+: client "d": access_token_lifetime: must be at least 10/);
    expect(await servedOf(countersign, 'a', 'b')).toEqual(['a']);
    await reloadAfter(countersign, () => writeFileSync(file, fileOf(client('b'))));
    expect(await servedOf(countersign, 'a', 'b')).toEqual(['b']);
  });

  test.for<[string, string, string]>([
    ['its syntax is invalid', '{"clients": [', 'invalid JSON'],
    ['it is empty', '', 'expected a list'],
    ['no chain of a client would be verified', fileOf(client('b'), named), 'COUNTERSIGN_CLIENT_CA_FILE is not set'],
    ['it contains a client twice', fileOf(client('b'), client('b')), 'clients.json:1; a client has one'],
  ])('keeps the previous clients when %s', async ([, content, message], context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const { event, reason } = await reloadAfter(countersign, () => writeFileSync(file, content));
    expect([event, reason]).toEqual(['clients_reload_failed', expect.stringContaining(message)]);
    expect(await servedOf(countersign, 'a', 'b')).toEqual(['a']);
  });

  test('keeps the previous clients when JSON Lines are truncated to nothing', async (context) => {
    const { expect } = context;
    const file = join(temporaryDirectory(), 'clients.jsonl');
    writeFileSync(file, `${JSON.stringify(client('a'))}\n${JSON.stringify(client('b'))}\n`);
    const countersign = await start(context, file);
    const { event, reason } = await reloadAfter(countersign, () => writeFileSync(file, ''));
    expect([event, reason]).toEqual([
      'clients_reload_failed',
      expect.stringContaining('clients.jsonl: contains no record'),
    ]);
    expect(await servedOf(countersign, 'a', 'b')).toEqual(['a', 'b']);
  });

  test('is logged with the first 20 of many errors', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const invalid = Array.from({ length: 50 }, (_, index) => client(`client-${index}`, { scopes: '' }));
    const { reason } = await reloadAfter(countersign, () => writeFileSync(file, fileOf(...invalid)));
    expect(String(reason).match(/client "client-/g)).toHaveLength(20);
    expect(reason).toMatch(/; and 30 more$/);
  });

  test.for<[string, (file: string) => void, string]>([
    ['it is missing', (file) => rmSync(file), 'no such file or directory'],
    [
      'it is a symbolic link to itself',
      (file) => replaceBy(file, (next) => symlinkSync('clients.json', next)),
      'too many symbolic links',
    ],
    ['it is an empty folder', (file) => replaceBy(file, (next) => mkdirSync(next)), 'the folder contains no .yaml'],
    ['it is a pipe', (file) => replaceBy(file, (next) => execFileSync('mkfifo', [next])), 'not a regular file'],
    [
      'it is longer than a string can be',
      (file) => replaceBy(file, ofLength(600 * 1024 * 1024)),
      'longer than 256 MiB',
    ],
  ])('keeps the previous clients while %s', async ([, change, message], context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const { event, reason } = await reloadAfter(countersign, () => change(file));
    expect([event, reason]).toEqual(['clients_reload_failed', expect.stringContaining(message)]);
    expect(await servedOf(countersign, 'a')).toEqual(['a']);
    await reloadAfter(countersign, () => replaceBy(file, (next) => writeFileSync(next, fileOf(client('b')))));
    expect(await servedOf(countersign, 'a', 'b')).toEqual(['b']);
  });

  test('is named once in log messages, with its setting only at startup', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const missing = await reloadAfter(countersign, () => rmSync(file));
    expect(missing).toMatchObject({
      reason: `${file}: no such file or directory`,
      message: `reload failed, the previous records stay active: ${file}: no such file or directory`,
    });
    const folder = await reloadAfter(countersign, () => mkdirSync(file));
    expect(folder.reason).toMatch(/clients\.json: the folder contains no \.yaml/);
    const start = startOver(context, '7');
    await expect(start).rejects.toThrow(/: COUNTERSIGN_CLIENTS_FILE: \S+\/clients\.json: expected a list of clients/);
  });

  test('is reloaded when another file is renamed over it', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    writeFileSync(`${file}.next`, fileOf(client('b')));
    await reloadAfter(countersign, () => renameSync(`${file}.next`, file));
    expect(await servedOf(countersign, 'a', 'b')).toEqual(['b']);
  });

  test('is reloaded when Kubernetes swaps the mounted volume', async (context) => {
    const { expect } = context;
    const folder = temporaryDirectory();
    const swap = (version: string, content: string) => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'clients.yaml'), content);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    swap('..2026_01', fileOf(client('a')));
    symlinkSync('..data/clients.yaml', join(folder, 'clients.yaml'));
    const countersign = await start(context, join(folder, 'clients.yaml'));
    await reloadAfter(countersign, () => swap('..2026_02', fileOf(client('b'))));
    expect(await servedOf(countersign, 'a', 'b')).toEqual(['b']);
  });

  test('does not prevent the server from stopping', async (context) => {
    const { expect } = context;
    const { countersign } = await startOver(context, fileOf(client('a')));
    expect(await countersign.stop()).toBe(0);
  });
});
