import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type RunningCountersign, runCountersign, startCountersign } from '../support/countersign.ts';
import { eventually } from '../support/eventually.ts';
import { openssl } from '../support/openssl.ts';
import { sendRequest } from '../support/raw-http.ts';
import { slowdown } from '../support/slowdown.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
writeFileSync(join(folder, 'clients.yaml'), 'clients: []');
const settings = {
  COUNTERSIGN_ISSUER: 'https://auth.example',
  COUNTERSIGN_TERMINATOR: 'nginx',
  COUNTERSIGN_CLIENTS_FILE: join(folder, 'clients.yaml'),
  COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'ed25519']),
};

const running: RunningCountersign[] = [];
const start = async (listen: string) => {
  const server = await startCountersign({ env: { ...settings, COUNTERSIGN_LISTEN: listen } });
  running.push(server);
  return server;
};
/** The tests run concurrently, since one of them waits for ten seconds. */
afterAll(async () => {
  for (const server of running.splice(0)) {
    server.kill('SIGKILL');
    await server.exited;
  }
});

const body = 'grant_type=client_credentials&client_id=a';
const head = [
  'POST /token HTTP/1.1',
  'Host: x',
  'Content-Type: application/x-www-form-urlencoded',
  `Content-Length: ${body.length}`,
  '',
  '',
].join('\r\n');

interface Open {
  readonly socket: Socket;
  readonly received: () => string;
  readonly closed: () => boolean;
}
const openConnection = async (url: string): Promise<Open> => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  let closed = false;
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    closed = true;
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, received: () => received, closed: () => closed };
};

/** Sends a part of a request, and waits until the server has read its header. */
async function sendHalf({ socket, received }: Open): Promise<void> {
  socket.write(head.replace('\r\n', '\r\nExpect: 100-continue\r\n') + body.slice(0, 5));
  await eventually(() => received().startsWith('HTTP/1.1 100 '), received);
}

test.concurrent('on SIGUSR1, the server opens no debugger, and serves requests', async () => {
  const server = await start('127.0.0.1:0');
  server.kill('SIGUSR1');
  expect((await sendRequest(server.url, { path: '/jwks', method: 'GET' })).status).toBe(200);
  expect(await server.stop()).toBe(0);
  expect(server.stderr()).toBe('');
});

describe.concurrent('on SIGTERM', () => {
  test('the server responds to the request in flight, closes connections, and exits', async () => {
    const server = await start('127.0.0.1:0');
    const idle = await openConnection(server.url);
    idle.socket.write(head + body);
    await eventually(() => idle.received().includes('invalid_client'), idle.received);
    const busy = await openConnection(server.url);
    await sendHalf(busy);
    server.kill('SIGTERM');
    await server.waitForEvent(({ event }) => event === 'stopping');
    await eventually(idle.closed, () => 'the idle connection is still open');
    busy.socket.write(body.slice(5));
    expect(await server.exited).toBe(0);
    expect(busy.received()).toContain('invalid_client');
    expect(busy.received().toLowerCase()).toContain('connection: close');
  });

  test('the server waits at most ten seconds for an incomplete request', async () => {
    const server = await start('127.0.0.1:0');
    const half = await openConnection(server.url);
    await sendHalf(half);
    const started = performance.now();
    server.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000 + 4_000 * slowdown());
  });
});

test.concurrent('a malformed request does not suppress the response to the request before it', async () => {
  const server = await start('127.0.0.1:0');
  const { socket, received, closed } = await openConnection(server.url);
  socket.write(`${head}${body}GARBAGE\r\n\r\n`);
  await eventually(closed, received);
  expect(received()).toContain('invalid_client');
  expect(received().match(/HTTP\/1\.1/g)).toHaveLength(1);
});

test.concurrent('a request whose sender disconnects before its end is rejected, and is not a server error', async () => {
  const server = await start('127.0.0.1:0');
  for (const framing of [head, head.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked')]) {
    const { socket } = await openConnection(server.url);
    socket.write(`${framing}5\r\nabc`);
    await delay(100);
    socket.destroy();
  }
  await server.waitForEvent(() => server.auditEvents().length === 2);
  for (const event of server.auditEvents()) expect(event).toMatchObject({ level: 'warn', error: 'invalid_request' });
});

describe.concurrent('COUNTERSIGN_LISTEN=unix:…', () => {
  const path = (name: string) => join(folder, name);
  const expectRejected = async (socket: string) => {
    const { code, stderr } = await runCountersign(['serve'], {
      env: { ...settings, COUNTERSIGN_LISTEN: `unix:${socket}` },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot listen on ${socket}`);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  };

  test('replaces the socket of a killed process', async () => {
    const first = await start(`unix:${path('stale.sock')}`);
    first.kill('SIGKILL');
    await first.exited;
    expect(existsSync(path('stale.sock'))).toBe(true);
    const second = await start(`unix:${path('stale.sock')}`);
    expect((await sendRequest(second.url, { method: 'GET', path: '/jwks' })).status).toBe(200);
  });

  test('does not replace the socket of a running server', async () => {
    const first = await start(`unix:${path('live.sock')}`);
    await expectRejected(path('live.sock'));
    expect((await sendRequest(first.url, { method: 'GET', path: '/jwks' })).status).toBe(200);
  });

  test('does not replace a file or a folder', async () => {
    writeFileSync(path('precious.txt'), 'precious');
    mkdirSync(path('folder'));
    await expectRejected(path('precious.txt'));
    await expectRejected(path('folder'));
    expect(readFileSync(path('precious.txt'), 'utf8')).toBe('precious');
  });

  test('rejects a missing folder', () => expectRejected('/no/such/folder/countersign.sock'));

  test('rejects a path that is too long, or in something else than a folder', async () => {
    await expectRejected(path('x'.repeat(150)));
    await expectRejected(path('x'.repeat(300)));
    writeFileSync(path('file.txt'), '');
    await expectRejected(path('file.txt/countersign.sock'));
  });
});

test.concurrent('the server reports an address that is in use', async () => {
  const first = await start('127.0.0.1:0');
  const address = first.url.replace('http://', '');
  const { code, stderr } = await runCountersign(['serve'], { env: { ...settings, COUNTERSIGN_LISTEN: address } });
  const problem = `COUNTERSIGN_LISTEN: cannot listen on ${address}: another program is listening there`;
  expect([code, stderr]).toEqual([1, `countersign: ${problem}\n`]);
});
