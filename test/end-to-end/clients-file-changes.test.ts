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

/** Puts something else in the place of a file. */
function swapFor(file: string, make: (next: string) => void): void {
  make(`${file}.next`);
  rmSync(file, { recursive: true, force: true });
  renameSync(`${file}.next`, file);
}

const ofLength = (octets: number) => (file: string) => {
  writeFileSync(file, '');
  truncateSync(file, octets);
};

/** The clients of these that get a token. */
async function served({ url }: RunningCountersign, ...ids: string[]): Promise<string[]> {
  const lines = ['Content-Type: application/x-www-form-urlencoded', ...exact(certificate)];
  const answers = ids.map(async (id) => (await sendRequest(url, { lines, body: formOf(id) })).status);
  const statuses = await Promise.all(answers);
  return ids.filter((_, index) => statuses[index] === 200);
}

/** Makes the change, and waits for what the log says about it. */
async function afterwards(countersign: RunningCountersign, change: () => void): Promise<LogLine> {
  const isTold = ({ event }: LogLine) => event === 'clients_reloaded' || event === 'clients_reload_failed';
  const seen = countersign.lines.filter(isTold).length;
  change();
  await countersign.waitForEvent((line) => isTold(line) && countersign.lines.filter(isTold).length > seen, 10_000);
  return countersign.lines.filter(isTold).at(-1) as LogLine;
}

// At once: each of them waits for the watch most of the time.
describe.concurrent('COUNTERSIGN_CLIENTS_FILE', () => {
  test('is in force again when it changes: added, changed and removed clients', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a'), client('b'), client('c')));
    expect(await served(countersign, 'a', 'b', 'c', 'd')).toEqual(['a', 'b', 'c']);
    const next = fileOf(client('a'), client('b', { enabled: false }), client('d'));
    const told = await afterwards(countersign, () => writeFileSync(file, next));
    expect(told).toMatchObject({ event: 'clients_reloaded', clients: 3, added: 1, changed: 1, removed: 1 });
    expect(await served(countersign, 'a', 'b', 'c', 'd')).toEqual(['a', 'd']);
  });

  test('changes nothing while anything is wrong with it, and is in force again once it is mended', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const faulty = fileOf(client('b'), client('c', { scopes: 'x' }), client('d', { access_token_lifetime: 1 }));
    const { event, reason } = await afterwards(countersign, () => writeFileSync(file, faulty));
    expect(event).toBe('clients_reload_failed');
    expect(reason).toContain(`${file}: client c (record 2): scopes is not a field`);
    expect(reason).toContain(`${file}: client d (record 3): access_token_lifetime must be at least 10`);
    expect(await served(countersign, 'a', 'b')).toEqual(['a']);
    await afterwards(countersign, () => writeFileSync(file, fileOf(client('b'))));
    expect(await served(countersign, 'a', 'b')).toEqual(['b']);
  });

  test.for<[string, string, string]>([
    ['it is broken', '{"clients": [', 'invalid JSON'],
    ['it is empty', '', 'expected a list'],
    ['nobody would verify a name', fileOf(client('b'), named), 'COUNTERSIGN_CLIENT_CA_FILE is not set'],
    ['a client stands there twice', fileOf(client('b'), client('b')), 'clients.json, record 1; a client has one'],
  ])('changes nothing when %s', async ([, content, message], context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const { event, reason } = await afterwards(countersign, () => writeFileSync(file, content));
    expect([event, reason]).toEqual(['clients_reload_failed', expect.stringContaining(message)]);
    expect(await served(countersign, 'a', 'b')).toEqual(['a']);
  });

  test('changes nothing when JSON Lines were cut off before the first', async (context) => {
    const { expect } = context;
    const file = join(temporaryDirectory(), 'clients.jsonl');
    writeFileSync(file, `${JSON.stringify(client('a'))}\n${JSON.stringify(client('b'))}\n`);
    const countersign = await start(context, file);
    const { event, reason } = await afterwards(countersign, () => writeFileSync(file, ''));
    expect([event, reason]).toEqual([
      'clients_reload_failed',
      expect.stringContaining('clients.jsonl: contains no record'),
    ]);
    expect(await served(countersign, 'a', 'b')).toEqual(['a', 'b']);
  });

  test('tells some errors where there are many', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const faulty = Array.from({ length: 50 }, (_, index) => client(`client-${index}`, { scopes: '' }));
    const { reason } = await afterwards(countersign, () => writeFileSync(file, fileOf(...faulty)));
    expect(String(reason).match(/client client-/g)).toHaveLength(20);
    expect(reason).toMatch(/; and 30 more$/);
  });

  test.for<[string, (file: string) => void, string]>([
    ['it is away', (file) => rmSync(file), 'ENOENT'],
    ['it leads to itself', (file) => swapFor(file, (next) => symlinkSync('clients.json', next)), 'ELOOP'],
    ['it is a folder', (file) => swapFor(file, (next) => mkdirSync(next)), 'not a regular file'],
    ['it is a pipe', (file) => swapFor(file, (next) => execFileSync('mkfifo', [next])), 'not a regular file'],
    ['it is longer than a text can be', (file) => swapFor(file, ofLength(600 * 1024 * 1024)), 'longer than 256 MiB'],
  ])('changes nothing while %s', async ([, change, message], context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const { event, reason } = await afterwards(countersign, () => change(file));
    expect([event, reason]).toEqual(['clients_reload_failed', expect.stringContaining(message)]);
    expect(await served(countersign, 'a')).toEqual(['a']);
    await afterwards(countersign, () => swapFor(file, (next) => writeFileSync(next, fileOf(client('b')))));
    expect(await served(countersign, 'a', 'b')).toEqual(['b']);
  });

  test('is named once in what the log says of it, and the setting only at start', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    const gone = await afterwards(countersign, () => rmSync(file));
    expect(gone).toMatchObject({
      reason: `${file}: ENOENT: no such file or directory`,
      message: `reload failed, the previous clients stay active: ${file}: ENOENT: no such file or directory`,
    });
    const folder = await afterwards(countersign, () => mkdirSync(file));
    expect(folder.reason).toBe(`${file}: is not a regular file`);
    const start = startOver(context, '7');
    await expect(start).rejects.toThrow(/: COUNTERSIGN_CLIENTS_FILE: \S+\/clients\.json: expected a list of clients/);
  });

  test('is watched through the swap by a rename', async (context) => {
    const { expect } = context;
    const { file, countersign } = await startOver(context, fileOf(client('a')));
    writeFileSync(`${file}.next`, fileOf(client('b')));
    await afterwards(countersign, () => renameSync(`${file}.next`, file));
    expect(await served(countersign, 'a', 'b')).toEqual(['b']);
  });

  test('is watched through the swap of a mounted volume, as Kubernetes does it', async (context) => {
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
    await afterwards(countersign, () => swap('..2026_02', fileOf(client('b'))));
    expect(await served(countersign, 'a', 'b')).toEqual(['b']);
  });

  test('keeps no server from ending', async (context) => {
    const { expect } = context;
    const { countersign } = await startOver(context, fileOf(client('a')));
    expect(await countersign.stop()).toBe(0);
  });
});
