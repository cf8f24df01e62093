import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { acceptsConnections } from '../support/accepts-connections.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { type RunningProgram, startProgram } from '../support/child-process.ts';
import { countersignCommand, runCountersign, testEnvironment } from '../support/countersign.ts';
import { startCrlServer } from '../support/crl-server.ts';
import { createCrl } from '../support/crls.ts';
import { auditedDecisions, type DecisionLoad, startDecisionLoad } from '../support/decision-load.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { jsonLines, type LogLine } from '../support/json-lines.ts';
import { openssl } from '../support/openssl.ts';
import { sendRequest } from '../support/raw-http.ts';
import { connectRedis, keyPrefix, redisUrl } from '../support/redis.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { slowdown } from '../support/slowdown.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const client = selfSigned();
const clientsFile = join(temporaryDirectory(), 'clients.json');
const record = { client_id: 'a', token_endpoint_auth_method: 'self_signed_tls_client_auth' };
writeFileSync(clientsFile, JSON.stringify([{ ...record, certificates: [{ pem: client.pem }] }]));
const signingKey = await openssl(['genpkey', '-algorithm', 'ed25519']);
const lines = [`X-SSL-Client-Cert: ${encodeURIComponent(client.pem)}`, 'X-SSL-Client-Verify: FAILED:self-signed'];

interface Server {
  readonly program: RunningProgram;
  readonly folder: string;
  readonly socketPath: string;
  readonly operationsPath: string;
  /** Of standard output. */
  readonly lines: readonly LogLine[];
  readonly readiness: () => Promise<string>;
  readonly respond: () => ReturnType<typeof sendRequest>;
  readonly requestToken: () => Promise<number>;
  readonly waitForEvent: (event: string, count?: number) => Promise<LogLine>;
}

const settings = {
  COUNTERSIGN_ISSUER: 'https://auth.example',
  COUNTERSIGN_TERMINATOR: 'nginx',
  COUNTERSIGN_CLIENTS_FILE: clientsFile,
  COUNTERSIGN_SIGNING_KEY: signingKey,
};

const READER_IS_GONE = `exec bash -c 'exec "$@" > >(exit)' "$0" "$@"`;

const running: RunningProgram[] = [];
afterEach(async () => {
  for (const program of running.splice(0)) {
    program.kill('SIGKILL');
    await program.exited;
  }
});

/** @param script runs the server with its command line as arguments */
async function startServer(env: Record<string, string> = {}, script = 'exec "$@"'): Promise<Server> {
  const folder = temporaryDirectory();
  const server = spawnServer(folder, env, script);
  await server.waitForEvent('listening');
  return server;
}

function spawnServer(folder: string, env: Record<string, string>, script = 'exec "$@"'): Server {
  const { lines: logged, add } = jsonLines();
  const socketPath = join(folder, 'public.sock');
  const operationsPath = join(folder, 'operations.sock');
  const program = startProgram('sh', ['-c', script, folder, ...countersignCommand(['serve'])], {
    env: {
      ...testEnvironment(),
      ...settings,
      COUNTERSIGN_LISTEN: `unix:${socketPath}`,
      COUNTERSIGN_OPERATIONS_LISTEN: `unix:${operationsPath}`,
      ...env,
    },
    onStdout: add,
  });
  running.push(program);
  const body = { grant_type: 'client_credentials', client_id: 'a' };
  const respond = () => sendRequest(`unix:${socketPath}`, { lines, body });
  const events = (event: string) => logged.filter((line) => line.event === event);
  return {
    program,
    folder,
    socketPath,
    operationsPath,
    lines: logged,
    readiness: async () => (await sendRequest(`unix:${operationsPath}`, { method: 'GET', path: '/readyz' })).body,
    respond,
    requestToken: async () => (await respond()).status,
    waitForEvent: async (event, count = 1) => {
      const report = () => `no ${event}:\n${JSON.stringify(logged, null, 1)}\n${program.stderr()}`;
      await eventually(() => events(event).length >= count, report, 15_000);
      return events(event)[count - 1] ?? {};
    },
  };
}

const startLoad = ({ socketPath }: Server) => startDecisionLoad({ socketPath, lines, clientId: 'a', connections: 8 });
const receives = (load: DecisionLoad, count: number) =>
  eventually(
    () => load.received.size >= count,
    () => `${load.received.size} of ${count} responses`,
    30_000,
  );
const parsed = (...files: readonly string[]) => {
  const { lines: read, add } = jsonLines();
  for (const file of files) add(readFileSync(file, 'utf8'));
  return read;
};

/** Each decision that a client received is recorded once. */
function expectRecorded({ received }: DecisionLoad, recorded: readonly LogLine[]): void {
  const decisions = auditedDecisions(recorded);
  expect(recorded.filter(({ text }) => text !== undefined)).toEqual([]);
  expect(new Set(decisions).size).toBe(decisions.length);
  expect([...received].filter((decision) => !decisions.includes(decision))).toEqual([]);
}

describe('on SIGTERM', () => {
  test('a server with a drain delay is not ready, serves everything meanwhile, and then exits', async () => {
    const seconds = Math.ceil(2 * slowdown());
    const server = await startServer({ COUNTERSIGN_DRAIN_DELAY: `${seconds}s` });
    const load = startLoad(server);
    await receives(load, 20);
    server.program.kill('SIGTERM');
    expect(await server.waitForEvent('stopping')).toMatchObject({ signal: 'SIGTERM', drain_delay_ms: 1_000 * seconds });
    expect(await server.readiness()).toBe('not ready: shutting down\n');
    // Each of these connections ends after a response, which says so.
    await load.ended;
    const responses: unknown[] = [];
    // The last one may find the socket gone, or wait to be accepted while it is closed.
    for (let response: HttpResponse | undefined; existsSync(server.socketPath); ) {
      response = await server.respond().catch(() => undefined);
      if (response) responses.push([response.status, response.headers.get('connection')]);
      else await eventually(() => !existsSync(server.socketPath), server.program.stderr);
    }
    expect(responses.length).toBeGreaterThan(10);
    expect(responses.filter((response) => !isDeepStrictEqual(response, [200, 'close']))).toEqual([]);
    expect(new Set(load.statuses)).toEqual(new Set([200, 400]));
    expect(await server.program.exited).toBe(0);
    expect(server.lines.at(-1)).toMatchObject({ event: 'stopped' });
    expectRecorded(load, server.lines);
  });

  test('a second signal ends the server at once, with exit code 1 and without its sockets', async () => {
    const server = await startServer({ COUNTERSIGN_DRAIN_DELAY: '10m' });
    server.program.kill('SIGTERM');
    await server.waitForEvent('stopping');
    server.program.kill('SIGINT');
    expect(await server.program.exited).toBe(1);
    expect(server.lines.at(-1)).toMatchObject({ event: 'aborted', signal: 'SIGINT' });
    expect([server.socketPath, server.operationsPath].filter(existsSync)).toEqual([]);
  });

  test('SIGHUP has no effect any more', async () => {
    const server = await startServer({ COUNTERSIGN_DRAIN_DELAY: '1s' });
    server.program.kill('SIGTERM');
    await server.waitForEvent('stopping');
    server.program.kill('SIGHUP');
    const message = 'SIGHUP has no effect: the server is stopping';
    expect(await server.waitForEvent('signal_ignored')).toMatchObject({ signal: 'SIGHUP', message });
    expect(await server.program.exited).toBe(0);
  });
});

describe('on SIGHUP', () => {
  test('a server under load reloads everything that is watched, and no request fails', async () => {
    const file = join(temporaryDirectory(), 'clients.json');
    copyFileSync(clientsFile, file);
    const server = await startServer({ COUNTERSIGN_CLIENTS_FILE: file });
    const load = startLoad(server);
    await receives(load, 20);
    server.program.kill('SIGHUP');
    await server.waitForEvent('reloaded');
    writeFileSync(file, '{');
    server.program.kill('SIGHUP');
    expect(await server.waitForEvent('reloaded', 2)).toMatchObject({ level: 'warn', failed: ['clients'] });
    copyFileSync(clientsFile, file);
    server.program.kill('SIGHUP');
    expect(await server.waitForEvent('reloaded', 3)).toMatchObject({ level: 'info' });
    await receives(load, load.received.size + 20);
    await load.stop();
    expect(new Set(load.statuses)).toEqual(new Set([200, 400]));
    expect(await server.program.stop()).toBe(0);
  });

  test('a server fetches the CRLs behind URLs, whose next fetch is hours away', async () => {
    const ca = createTestCa();
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'ca.pem'), ca.pem);
    const published = await startCrlServer(createCrl(ca));
    onTestFinished(() => published.stop());
    const server = await startServer({
      COUNTERSIGN_CLIENT_CA_FILE: join(folder, 'ca.pem'),
      COUNTERSIGN_CLIENT_CRLS: published.url,
      COUNTERSIGN_CRL_INTERVAL: '12h',
    });
    published.content = createCrl(ca, { revoked: [ca.issue()], thisUpdate: new Date() });
    server.program.kill('SIGHUP');
    expect(await server.waitForEvent('reloaded')).toMatchObject({ checked: expect.any(Array), changed: ['crls'] });
    expect(await server.waitForEvent('crl_loaded', 2)).toMatchObject({ revoked: 1 });
    published.content = undefined;
    server.program.kill('SIGHUP');
    expect(await server.waitForEvent('reloaded', 2)).toMatchObject({ level: 'warn', failed: ['crls'] });
  });

  test('a server whose audit file cannot be opened again reports no success', async () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'log'));
    const server = await startServer({ COUNTERSIGN_AUDIT_FILE: join(folder, 'log', 'audit.log') });
    rmSync(join(folder, 'log'), { recursive: true });
    server.program.kill('SIGHUP');
    const reason = `the audit file ${join(folder, 'log', 'audit.log')} cannot be written: no such file or directory`;
    expect(await server.waitForEvent('reload_failed')).toMatchObject({ level: 'error', reason });
    expect(server.lines.map(({ event }) => event)).not.toContain('reloaded');
    mkdirSync(join(folder, 'log'));
    server.program.kill('SIGHUP');
    expect(await server.waitForEvent('reloaded')).toMatchObject({ level: 'info' });
  });

  test('a server that is still starting reloads once it has started', async () => {
    const env = { COUNTERSIGN_CLIENTS_FILE: '', COUNTERSIGN_REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    const server = spawnServer(temporaryDirectory(), env);
    await server.waitForEvent('starting');
    server.program.kill('SIGHUP');
    await server.waitForEvent('reloaded');
    const events = server.lines.map(({ event }) => event);
    expect(events.indexOf('reloading')).toBeLessThan(events.indexOf('reloaded'));
    expect(events.indexOf('listening')).toBeLessThan(events.indexOf('reloaded'));
    expect(await server.program.stop()).toBe(0);
  });
});

test('signals that arrive before the first module of the server is loaded do not end it', async () => {
  const preload = `
    import { registerHooks } from 'node:module';
    const signals = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'];
    const load = (url, context, next) => {
      if (!url.endsWith('/countersign.js')) for (const signal of signals.splice(0)) process.kill(process.pid, signal);
      return next(url, context);
    };
    registerHooks({ load });`;
  const server = await startServer({
    NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(preload)}"`,
  });
  expect(await server.requestToken()).toBe(200);
  expect(await server.program.stop()).toBe(0);
  // SIGUSR1 would open the debugger, which Node reports there.
  expect(server.program.stderr()).toBe('');
});

test('signals that have no effect leave the server as it is', async () => {
  const server = await startServer();
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) server.program.kill(signal);
  await server.waitForEvent('signal_ignored', 2);
  expect(await server.requestToken()).toBe(200);
  expect(await server.program.stop()).toBe(0);
  expect(server.program.stderr()).toBe('');
});

test.each([
  ['an error', 'uncaughtException', "throw new Error('a bug')"],
  ['a rejection', 'unhandledRejection', "Promise.reject(new Error('a bug'))"],
])('%s that nothing handles is logged, and ends the server without its sockets', async (_, origin, code) => {
  const preload = `process.on('SIGUSR2', () => { ${code}; });`;
  const server = await startServer({
    NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(preload)}"`,
  });
  server.program.kill('SIGUSR2');
  expect(await server.program.exited).toBe(1);
  expect(server.lines.filter(({ event }) => event === 'crashed')).toMatchObject([
    { level: 'error', origin, reason: expect.stringContaining('a bug') },
  ]);
  expect([server.socketPath, server.operationsPath].filter(existsSync)).toEqual([]);
});

test('the first line has the versions and the effective configuration, without secrets', async () => {
  const server = await startServer({ COUNTERSIGN_LOG_LEVEL: 'info' });
  expect(server.lines[0]).toMatchObject({
    event: 'starting',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    node_version: process.versions.node,
    settings: { COUNTERSIGN_ISSUER: 'https://auth.example', COUNTERSIGN_SIGNING_KEY: '(secret)' },
  });
  expect(await server.program.stop()).toBe(0);
});

describe('with COUNTERSIGN_AUDIT_FILE', () => {
  const auditFile = () => join(temporaryDirectory(), 'audit.log');

  test('decisions of every level are in the file, and the log on standard output has its own level', async () => {
    const file = auditFile();
    const server = spawnServer(temporaryDirectory(), { COUNTERSIGN_AUDIT_FILE: file, COUNTERSIGN_LOG_LEVEL: 'warn' });
    await eventually(() => acceptsConnections({ path: server.socketPath }), server.program.stderr, 15_000);
    const load = startLoad(server);
    await receives(load, 20);
    await load.stop();
    expect(await server.program.stop()).toBe(0);
    expect(server.lines).toEqual([]);
    expectRecorded(load, parsed(file));
  });

  test.each([
    ['and SIGHUP', true],
    ['without a signal', false],
  ])('under load, a file that is moved %s loses no decision', async (_, isSignalled) => {
    const file = auditFile();
    const server = await startServer({ COUNTERSIGN_AUDIT_FILE: file });
    const load = startLoad(server);
    const rotated: string[] = [];
    for (const suffix of isSignalled ? ['1', '2', '3'] : ['1']) {
      await receives(load, load.received.size + 50);
      renameSync(file, `${file}.${suffix}`);
      rotated.push(`${file}.${suffix}`);
      if (isSignalled) server.program.kill('SIGHUP');
      await eventually(
        () => existsSync(file),
        () => 'the file is not opened again',
        5_000,
      );
    }
    // Some responses that arrive now have been recorded in the previous file.
    await eventually(
      () => parsed(file).length > 50,
      () => `${parsed(file).length} decisions in the new file`,
      30_000,
    );
    await load.stop();
    expect(await server.program.stop()).toBe(0);
    expect(new Set(load.statuses)).toEqual(new Set([200, 400]));
    expectRecorded(load, parsed(...rotated, file));
  });

  test('a file that is truncated in place is continued at its beginning', async () => {
    const file = auditFile();
    const server = await startServer({ COUNTERSIGN_AUDIT_FILE: file });
    expect(await server.requestToken()).toBe(200);
    truncateSync(file);
    expect(await server.requestToken()).toBe(200);
    expect(parsed(file)).toMatchObject([{ event: 'token_issued' }]);
  });

  test.each([
    ['the file is too large for the disk', 'file too large', 'ulimit -f 8; exec "$@"', truncateSync],
    [
      'its folder is gone',
      'no such file or directory',
      undefined,
      (file: string) => mkdirSync(join(file, '..'), { recursive: true }),
    ],
  ] as const)('while %s no token is issued, and afterwards they are again', async (_, reason, script, fix) => {
    const folder = temporaryDirectory();
    const file = join(folder, 'log', 'audit.log');
    mkdirSync(join(folder, 'log'));
    const server = await startServer({ COUNTERSIGN_AUDIT_FILE: file }, script);
    expect(await server.requestToken()).toBe(200);
    if (!script) rmSync(join(folder, 'log'), { recursive: true });
    let issued = 0;
    await eventually(
      async () => {
        const status = await server.requestToken();
        issued += Number(status === 200);
        return status === 503;
      },
      () => `${issued} tokens, and the file still can be written`,
      30_000,
    );
    expect(await server.readiness()).toBe(`not ready: the audit file ${file} cannot be written: ${reason}\n`);
    expect(await server.requestToken()).toBe(503);
    expect(await server.waitForEvent('audit_file_failed')).toMatchObject({ code: 'audit_unwritable' });
    fix(file);
    await eventually(
      async () => (await server.readiness()) === 'ok\n',
      () => 'not ready',
      5_000,
    );
    expect(await server.requestToken()).toBe(200);
    expect(parsed(file).map(({ event, code }) => [event, code])).toEqual([
      ['log_restored', 'audit_unwritable'],
      ['token_issued', undefined],
    ]);
  });

  const hasFullDevice = existsSync('/dev/full');
  if (!hasFullDevice) console.warn('skipped: on a device that is full: there is no /dev/full');
  test.skipIf(!hasFullDevice)('on a device that is full, no token is issued', async () => {
    const server = await startServer({ COUNTERSIGN_AUDIT_FILE: '/dev/full' });
    expect([await server.requestToken(), await server.requestToken()]).toEqual([503, 503]);
    expect(await server.readiness()).toContain('the audit file /dev/full cannot be written: no space left on device');
  });

  test.each([
    ['that also writes decisions there issues no token', 'on', 503],
    ['that writes decisions to the file only issues tokens', 'off', 200],
  ])('after the reader of standard output is gone, a server %s', async (_, stdout, expected) => {
    const env = { COUNTERSIGN_AUDIT_FILE: auditFile(), COUNTERSIGN_AUDIT_STDOUT: stdout };
    const server = spawnServer(temporaryDirectory(), env, READER_IS_GONE);
    const accepts = () => acceptsConnections({ path: server.socketPath });
    await eventually(accepts, server.program.stderr, 15_000);
    expect(await server.requestToken()).toBe(expected);
    expect((await server.readiness()) === 'ok\n').toBe(expected === 200);
  });
});

describe('serve --check', () => {
  const check = (env: Record<string, string>) => runCountersign(['serve', '--check'], { env: { ...settings, ...env } });

  test('of a valid configuration prints what would be served, listens nowhere, and exits with 0', async () => {
    const server = await startServer();
    const { code, stdout, stderr } = await check({ COUNTERSIGN_LISTEN: `unix:${server.socketPath}` });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`clients in memory, 1 client from ${clientsFile}\nsigning with EdDSA `);
    expect(stdout).toMatch(/\nthe configuration is valid\n$/);
    expect(await server.requestToken()).toBe(200);
  });

  test('reports addresses that are in use, by the running server or another program, and exits with 0', async () => {
    const server = await startServer();
    const another = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void another.close());
    await once(another, 'listening');
    // Safe: it listens on TCP.
    const url = `127.0.0.1:${(another.address() as AddressInfo).port}`;
    const { code, stdout } = await check({
      COUNTERSIGN_LISTEN: url,
      COUNTERSIGN_EDGE_LISTEN: `unix:${server.socketPath}`,
      COUNTERSIGN_OPERATIONS_LISTEN: `127.0.0.1:${await freePort()}`,
    });
    const owner = 'is in use by the server that is running, or another program, which has to stop first';
    expect([code, stdout.split('\n').filter((line) => line.includes('in use'))]).toEqual([
      0,
      [`http://${url} ${owner} (COUNTERSIGN_LISTEN)`, `unix:${server.socketPath} ${owner} (COUNTERSIGN_EDGE_LISTEN)`],
    ]);
    expect(await server.requestToken()).toBe(200);
  });

  test('reports every address that cannot be bound, and exits with 2', async () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await check({
      COUNTERSIGN_LISTEN: 'unix:/nowhere/countersign.sock',
      COUNTERSIGN_EDGE_LISTEN: `unix:${join(folder, 'file')}`,
      COUNTERSIGN_OPERATIONS_LISTEN: '192.0.2.1:8080',
    });
    expect([code, stderr.trimEnd().split('\n').slice(-3)]).toEqual([
      2,
      [
        expect.stringContaining(
          'COUNTERSIGN_LISTEN: cannot listen on /nowhere/countersign.sock: the folder of the socket',
        ),
        expect.stringMatching(/COUNTERSIGN_EDGE_LISTEN: cannot listen on .*: the file exists and is not a socket$/),
        expect.stringContaining('cannot listen on 192.0.2.1:8080: this machine does not have that address'),
      ],
    ]);
  });

  test('of an address that the machine does not have exits with 2, and the server with 1: it may arrive later', async () => {
    const env = {
      COUNTERSIGN_OPERATIONS_LISTEN: '192.0.2.1:8080',
      COUNTERSIGN_LISTEN: `127.0.0.1:${await freePort()}`,
    };
    const problem =
      'countersign: COUNTERSIGN_OPERATIONS_LISTEN: cannot listen on 192.0.2.1:8080: this machine does not have that address\n';
    const checked = await check(env);
    const served = await runCountersign(['serve'], { env: { ...settings, ...env } });
    expect([checked.code, checked.stderr, served.code, served.stderr]).toEqual([2, problem, 1, problem]);
  });

  test('reports the problems of all files at once, and exits with 2', async () => {
    const broken = join(temporaryDirectory(), 'broken');
    writeFileSync(broken, '[{"client_id": 1}]', { mode: 0o600 });
    const { code, stdout, stderr } = await check({
      COUNTERSIGN_CLIENTS_FILE: broken,
      COUNTERSIGN_SIGNING_KEY: '',
      COUNTERSIGN_SIGNING_KEY_FILE: broken,
    });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(broken);
    expect(stderr).toContain('COUNTERSIGN_SIGNING_KEY_FILE: ');
  });

  describeWith(['redis-server'], 'with Redis', () => {
    const prefix = keyPrefix();
    const redis = {
      COUNTERSIGN_CLIENTS_FILE: '',
      COUNTERSIGN_REDIS_URL: redisUrl(),
      COUNTERSIGN_REDIS_KEY_PREFIX: prefix,
    };

    const kek = join(temporaryDirectory(), 'kek');
    writeFileSync(kek, Buffer.alloc(32, 7).toString('base64url'), { mode: 0o600 });
    const keyring = { ...redis, COUNTERSIGN_SIGNING_KEY: '', COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: kek };

    test('connects, and exits with 0', async () => {
      const { code, stdout } = await check(redis);
      expect([code, stdout]).toEqual([0, expect.stringContaining('connected to Redis\n')]);
    });

    test.each([
      ['-get', 1, 'lacks +get'],
      ['-xrange', 0, 'lacks +xrange'],
      ['resetkeys', 1, `lacks the key ${prefix}client:`],
    ])('reports an ACL that has %s, and exits with %i', async (rule, expected, problem) => {
      const { client, close } = connectRedis();
      await client.call('ACL', 'SETUSER', prefix, 'reset', 'on', '>pw-of-check', '~*', '&*', '+@all', rule);
      const url = new URL(redisUrl());
      url.username = encodeURIComponent(prefix);
      url.password = 'pw-of-check';
      const { code, stderr } = await check({ ...redis, COUNTERSIGN_REDIS_URL: url.href });
      await client.call('ACL', 'DELUSER', prefix);
      await close();
      expect([code, stderr]).toEqual([expected, expect.stringContaining(problem)]);
    });

    test('reports that Redis does not respond, once, and exits with 1', async () => {
      const url = `redis://127.0.0.1:${await freePort()}`;
      const { code, stderr } = await check({ ...keyring, COUNTERSIGN_REDIS_URL: url });
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^countersign: COUNTERSIGN_REDIS_URL: cannot reach Redis at .*\n$/),
      ]);
    });

    test('reports a keyring that does not exist, and creates none', async () => {
      for (const _ of [1, 2]) {
        const { code, stderr } = await check(keyring);
        expect([code, stderr]).toEqual([1, expect.stringContaining('countersign keys create')]);
      }
    });
  });
});

/** Runs a command on a terminal, closes that once the file exists, and prints the exit code. */
const closingTerminal = `
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

test('a server whose terminal is closed stops, and removes its sockets', async () => {
  const folder = temporaryDirectory();
  const socketPath = join(folder, 'public.sock');
  const { stdout } = await runProgram(
    'python3',
    ['-c', closingTerminal, socketPath, ...countersignCommand(['serve'])],
    {
      env: { ...testEnvironment(), ...settings, COUNTERSIGN_LISTEN: `unix:${socketPath}` },
    },
  );
  expect([stdout.toString(), existsSync(socketPath)]).toEqual(['0\n', false]);
});

const hasSystemd = existsSync('/usr/bin/systemd-analyze');
if (!hasSystemd) console.warn('skipped: the systemd units: systemd-analyze is not installed');

describe.skipIf(!hasSystemd)('the systemd units', () => {
  /** The units, with a command that exists here. */
  function installUnits(): string {
    const folder = temporaryDirectory();
    const command = join(folder, 'countersign');
    writeFileSync(command, '#!/bin/sh\n', { mode: 0o755 });
    for (const name of ['countersign.service', 'countersign@.service']) {
      const unit = readFileSync(join(repositoryRoot, 'deploy/systemd', name), 'utf8');
      expect(unit).toContain('ExecStart=/usr/local/bin/countersign serve\n');
      writeFileSync(join(folder, name), unit.replace('/usr/local/bin/countersign', command));
    }
    copyFileSync(join(folder, 'countersign@.service'), join(folder, 'countersign@1.service'));
    return folder;
  }

  test.each(['countersign.service', 'countersign@1.service'])('%s is valid and hardened', async (name) => {
    const unit = join(installUnits(), name);
    expect(await runProgram('systemd-analyze', ['verify', unit])).toMatchObject({ code: 0, stderr: '' });
    // Exposure of at most 2.0 of 10.
    const args = ['security', '--offline=true', '--threshold=20', unit];
    expect(await runProgram('systemd-analyze', args)).toMatchObject({ code: 0 });
  });

  test('the template differs from the unit by its sockets and directories only', () => {
    const [unit, template] = ['countersign.service', 'countersign@.service'].map((name) =>
      readFileSync(join(repositoryRoot, 'deploy/systemd', name), 'utf8')
        .split('\n')
        .filter((line) => !line.startsWith('#')),
    );
    expect(template?.filter((line) => !unit?.includes(line))).toEqual([
      'Description=Countersign authorization server, replica %i',
      'Environment=COUNTERSIGN_LISTEN=unix:/run/countersign/%i/countersign.sock',
      'Environment=COUNTERSIGN_OPERATIONS_LISTEN=127.0.0.1:909%i',
      'RuntimeDirectory=countersign/%i',
      'LogsDirectory=countersign/%i',
    ]);
  });
});
