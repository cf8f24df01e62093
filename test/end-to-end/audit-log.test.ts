import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { acceptsConnections } from '../support/accepts-connections.ts';
import { selfSigned } from '../support/certificates.ts';
import { bareEnvironment } from '../support/child-process.ts';
import { countersignCommand } from '../support/countersign.ts';
import { auditedDecisions, type DecisionLoad, startDecisionLoad } from '../support/decision-load.ts';
import { eventually } from '../support/eventually.ts';
import { jsonLines, type LogLine } from '../support/json-lines.ts';
import { openssl } from '../support/openssl.ts';
import { sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const client = selfSigned();
const clientsFile = join(temporaryDirectory(), 'clients.json');
const record = { client_id: 'a', token_endpoint_auth_method: 'self_signed_tls_client_auth' };
writeFileSync(clientsFile, JSON.stringify([{ ...record, certificates: [{ pem: client.pem }] }]));
const signingKey = await openssl(['genpkey', '-algorithm', 'ed25519']);

interface StartOptions {
  /** Runs the server with its command line as arguments. Default: the server itself. */
  readonly script?: string;
  /** JavaScript that the server runs first. */
  readonly preload?: string;
  readonly stdout?: 'pipe' | number;
}

const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** Starts a server whose standard output the test controls. What the server cannot log must not be needed to start it. */
async function startServer({ script = 'exec "$@"', preload = '', stdout = 'pipe' }: StartOptions) {
  const folder = temporaryDirectory();
  const socketPath = join(folder, 'public.sock');
  const operations = join(folder, 'operations.sock');
  const env = bareEnvironment({
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: `unix:${socketPath}`,
    COUNTERSIGN_OPERATIONS_LISTEN: `unix:${operations}`,
    COUNTERSIGN_CLIENTS_FILE: clientsFile,
    COUNTERSIGN_SIGNING_KEY: signingKey,
    // Requests that wait for the reader of the log are served, not shed.
    COUNTERSIGN_MAX_QUEUE_DELAY: '60s',
    ...(preload && { NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(preload)}"` }),
  });
  const child = spawn('sh', ['-c', script, folder, ...countersignCommand(['serve'])], {
    env,
    stdio: ['ignore', stdout, 'pipe'],
  });
  running.push(child);
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const accepts = () => acceptsConnections({ path: socketPath });
  await eventually(accepts, () => `the server does not listen: ${stderr}`, 20_000);
  const lines = [`X-SSL-Client-Cert: ${encodeURIComponent(client.pem)}`, 'X-SSL-Client-Verify: FAILED:self-signed'];
  return {
    child,
    folder,
    stderr: () => stderr,
    startLoad: () => startDecisionLoad({ socketPath, lines, clientId: 'a' }),
    requestToken: () =>
      sendRequest(`unix:${socketPath}`, { lines, body: { grant_type: 'client_credentials', client_id: 'a' } }),
    readiness: async () => {
      const { status, body } = await sendRequest(`unix:${operations}`, { method: 'GET', path: '/readyz' });
      return [status, body];
    },
  };
}

/** Collects the log. `closed` resolves when the server has closed it. */
function readLog({ stdout }: ChildProcess): { readonly lines: readonly LogLine[]; readonly closed: Promise<unknown> } {
  const { lines, add } = jsonLines();
  stdout?.setEncoding('utf8').on('data', add);
  return { lines, closed: stdout ? once(stdout, 'close') : Promise.resolve() };
}

const receives = (load: DecisionLoad, count: number) =>
  eventually(
    () => load.received.size >= count,
    () => `${load.received.size} of ${count} responses`,
    30_000,
  );

/** Each decision that a client received has its audit event, and no request has two. */
function expectAudited(load: DecisionLoad, lines: readonly LogLine[]): void {
  const audited = auditedDecisions(lines);
  expect(lines.filter(({ text }) => text !== undefined)).toEqual([]);
  expect(new Set(audited).size).toBe(audited.length);
  expect([...load.received].filter((decision) => !audited.includes(decision))).toEqual([]);
}

const throwsOnSigusr2 = "process.on('SIGUSR2', () => { throw new Error('a bug'); });";

test.each([
  ['SIGTERM', 'SIGTERM', 'stopping'],
  ['an uncaught error', 'SIGUSR2', 'crashed'],
  ['SIGKILL', 'SIGKILL', undefined],
] as const)('every decision that a client received before %s is in the audit log', async (_, signal, lastEvent) => {
  const server = await startServer({ preload: throwsOnSigusr2 });
  const log = readLog(server.child);
  const load = server.startLoad();
  await receives(load, 1_000);
  server.child.kill(signal);
  await Promise.all([load.ended, log.closed]);
  expectAudited(load, log.lines);
  expect(
    log.lines.filter(({ event }) => event === 'stopping' || event === 'crashed').map(({ event }) => event),
  ).toEqual(lastEvent ? [lastEvent] : []);
});

test.each([
  ['blocks', ''],
  ['does not block', 'process.stdout'],
])('a slow reader of a pipe that %s delays responses, and no decision is lost', async (_, preload) => {
  const server = await startServer({ preload });
  const load = server.startLoad();
  // Without a reader, the pipe fills up, and responses stop.
  await receives(load, 100);
  for (let before = -1; before !== load.received.size; ) {
    before = load.received.size;
    await delay(300);
  }
  const stopped = load.received.size;
  const log = readLog(server.child);
  await receives(load, stopped + 200);
  await load.stop();
  server.child.kill('SIGTERM');
  await log.closed;
  expect(new Set(load.statuses)).toEqual(new Set([200, 400]));
  expectAudited(load, log.lines);
});

test('while the disk is full no token is issued, and afterwards the log states how many lines are lost', async () => {
  // In blocks of 512 bytes. Beyond it, writes fail with EFBIG as they do with ENOSPC on a full disk.
  const server = await startServer({ script: 'ulimit -f 100; exec "$@" >>"$0/log"' });
  const load = server.startLoad();
  await eventually(
    () => load.statuses.includes(503),
    () => 'the disk is not full',
    30_000,
  );
  await load.stop();
  const refused = await server.requestToken();
  expect([refused.status, refused.headers.get('retry-after'), refused.json()]).toEqual([
    503,
    '1',
    { error: 'temporarily_unavailable', error_description: expect.any(String) },
  ]);
  expect(await server.readiness()).toEqual([503, 'not ready: the log cannot be written: file too large\n']);
  expect(server.stderr().match(/the log cannot be written: file too large/g)).toHaveLength(1);

  const file = join(server.folder, 'log');
  const before = readFileSync(file, 'utf8');
  truncateSync(file);
  await eventually(
    async () => (await server.readiness())[0] === 200,
    () => 'not ready',
  );
  const { status, body } = await server.requestToken();
  const { lines, add } = jsonLines();
  add(before.slice(0, before.lastIndexOf('\n') + 1));
  expectAudited(load, lines);
  add(readFileSync(file, 'utf8'));
  expect([status, body]).toEqual([200, expect.stringContaining('access_token')]);
  const restored = lines.filter(({ event }) => event === 'log_restored');
  expect(restored).toEqual([expect.objectContaining({ reason: 'file too large', lost_lines: expect.any(Number) })]);
  const decided = load.statuses.length + 2;
  expect(auditedDecisions(lines)).toHaveLength(decided - Number(restored[0]?.lost_lines));
});

test.each([
  ['to a closed pipe', {}, 'broken pipe'],
  ...(existsSync('/dev/full')
    ? [['to a full disk from the start', { stdout: openSync('/dev/full', 'w') }, 'no space left on device'] as const]
    : []),
] as const)('a server that logs %s runs, is not ready, and issues no token', async (_, options, reason) => {
  const server = await startServer(options);
  server.child.stdout?.destroy();
  const responses = [await server.requestToken(), await server.requestToken()];
  expect(responses.map(({ status }) => status)).toEqual([503, 503]);
  expect(await server.readiness()).toEqual([503, `not ready: the log cannot be written: ${reason}\n`]);
  server.child.kill('SIGTERM');
  expect(await once(server.child, 'exit')).toEqual([0, null]);
  expect(server.stderr()).toBe(`countersign: the log cannot be written: ${reason}\n`);
});
