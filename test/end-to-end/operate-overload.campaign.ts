import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { type RunningCountersign, startCountersign } from '../support/countersign.ts';
import { eventually } from '../support/eventually.ts';
import { expectWithin } from '../support/expect-within.ts';
import { openssl } from '../support/openssl.ts';
import { requestBytes, sendRequest } from '../support/raw-http.ts';
import { slowdown } from '../support/slowdown.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = createTestCa({ subject: [['CN', 'Root']] });
const good = root.issue({ subject: [['CN', 'good']] });
let server: RunningCountersign;

const byteSequence = (der: Uint8Array) => `:${Buffer.from(der).toString('base64')}:`;
const tokenRequest = (clientId: string, der: Uint8Array, chain: readonly Uint8Array[] = []) => ({
  path: '/token',
  lines: [
    `Client-Cert: ${byteSequence(der)}`,
    ...(chain.length > 0 ? [`Client-Cert-Chain: ${chain.map(byteSequence).join(', ')}`] : []),
  ],
  body: { grant_type: 'client_credentials', client_id: clientId },
});

beforeAll(async () => {
  const folder = temporaryDirectory();
  const files = { clients: join(folder, 'clients.json'), cas: join(folder, 'cas.pem') };
  const record = { client_id: 'good', token_endpoint_auth_method: 'tls_client_auth' };
  writeFileSync(files.clients, JSON.stringify([{ ...record, tls_client_auth_subject_dn: 'CN=good' }]));
  writeFileSync(files.cas, root.pem);
  server = await startCountersign({
    env: {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'rfc9440',
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_CLIENTS_FILE: files.clients,
      COUNTERSIGN_CLIENT_CA_FILE: files.cas,
      COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'ed25519']),
    },
  });
});
afterAll(() => server.stop());

/** Requests tokens for the good client, one after the other, and measures each response. */
async function requestTokens(milliseconds: number) {
  const durations: number[] = [];
  const statuses = new Set<number>();
  for (const start = performance.now(); performance.now() - start < milliseconds; await delay(10)) {
    const sent = performance.now();
    statuses.add((await sendRequest(server.url, tokenRequest('good', good.der))).status);
    durations.push(performance.now() - sent);
  }
  const sorted = durations.toSorted((one, other) => one - other);
  return { statuses: [...statuses], p99: sorted[Math.floor(0.99 * sorted.length)] ?? Number.POSITIVE_INFINITY };
}

test('ten attackers with ten P-384 CAs of one name delay a good client by a few searches at most, and learn nothing', async () => {
  const sameName = { subject: [['CN', 'Same']], keyType: 'ec-p384' } satisfies Parameters<typeof createTestCa>[0];
  const chain = Array.from({ length: 10 }, () => createTestCa(sameName).der);
  const issuer = createTestCa(sameName);
  // New ones each time, since results are cached. Every second one guesses the client_id and the subject of the good client.
  const forgedRequests = () =>
    Array.from({ length: 200 }, (_, index) =>
      index % 2 === 0
        ? tokenRequest('good', issuer.issue({ subject: [['CN', 'good']] }).der, chain)
        : tokenRequest(`unknown-${index}`, issuer.issue({ subject: [['CN', 'x']] }).der, chain),
    );
  await requestTokens(500);
  const runs: { before: number; during: number; isDelayed: boolean }[] = [];
  // What else runs on the machine only delays responses: a server that delays them itself does so each time.
  while (runs.length < 3 && runs.at(-1)?.isDelayed !== false) {
    const requests = forgedRequests();
    const before = await requestTokens(3_000);
    const responses = new Set<string>();
    const milliseconds: number[] = [];
    const attack = Promise.all(
      requests.map(async (request, index) => {
        await delay(20 * index);
        const sent = performance.now();
        const { status, body } = await sendRequest(server.url, request);
        responses.add(`${status} ${body}`);
        if (status === 503) milliseconds.push(performance.now() - sent);
      }),
    );
    const during = await requestTokens(4_000);
    await attack;
    console.log(`p99 of the good client: ${before.p99.toFixed(1)} ms, during the attack ${during.p99.toFixed(1)} ms`);
    expect([before.statuses, during.statuses]).toEqual([[200], [200]]);
    // One body for each: the few that are validated at once, and all others, whatever they guess.
    expect([...responses].map((response) => response.slice(0, 3)).toSorted()).toEqual(['400', '503']);
    expect(Math.min(...milliseconds)).toBeGreaterThan(490);
    // A few of the first searches are not interrupted.
    const isDelayed = during.p99 >= Math.max(2 * before.p99, 40 * slowdown());
    runs.push({ before: before.p99, during: during.p99, isDelayed });
  }
  expect(runs.at(-1), JSON.stringify(runs)).toMatchObject({ isDelayed: false });
  // Nothing of the attack is left in the queue that another client waits for.
  const renewed = root.issue({ subject: [['CN', 'good']] });
  expect((await sendRequest(server.url, tokenRequest('good', renewed.der))).status).toBe(200);
});

test('a client with a new certificate gets its token while others present forged ones with its subject', async () => {
  const chain = Array.from({ length: 10 }, () => createTestCa({ subject: [['CN', 'Root']], keyType: 'ec-p384' }).der);
  const forger = createTestCa({ subject: [['CN', 'Root']], keyType: 'ec-p384' });
  const forged = Array.from({ length: 60 }, () => forger.issue({ subject: [['CN', 'good']] }).der);
  const attack = forged.map(async (der, index) => {
    await delay(30 * index);
    return (await sendRequest(server.url, tokenRequest('good', der, chain))).status;
  });
  await delay(1_000);
  const renewed = tokenRequest('good', root.issue({ subject: [['CN', 'good']] }).der, chain.slice(0, 1));
  const statuses: number[] = [];
  // On a slow machine, the first attempt may have to wait for too long. Its result is found by the next one.
  while (statuses.at(-1) !== 200 && statuses.length < 5) statuses.push((await sendRequest(server.url, renewed)).status);
  expect(statuses.at(-1)).toBe(200);
  expect(await Promise.all(attack)).not.toContain(200);
});

test('200 slow connections and a flood keep no good client waiting for a second, and the server recovers by itself', async () => {
  const { hostname, port } = new URL(server.url);
  const open = () => connect(Number(port), hostname).on('error', () => {});
  const slow = Array.from({ length: 200 }, open);
  for (const socket of slow) socket.write('POST /token HTTP/1.1\r\nHost: a\r\nX-Slow: ');
  const flood = Array.from({ length: 100 }, open);
  const bytes = Buffer.concat(Array(REQUESTS_EACH).fill(requestBytes(tokenRequest('good', good.der))));
  let isFlooding = true;
  for (const socket of flood) keepSending(socket, bytes, () => isFlooding);
  await expectShortDelay('a flood', 4_000);
  const { body: metrics } = await server.fetchOperations('/metrics');
  isFlooding = false;
  for (const socket of [...slow, ...flood]) socket.destroy();
  const [, resident = Number.NaN] =
    /^countersign_process_resident_memory_bytes (\S+)$/m.exec(metrics) ??
    /^process_resident_memory_bytes (\S+)$/m.exec(metrics) ??
    [];
  expect(Number(resident)).toBeLessThan(600 * 2 ** 20);
  await expectRecovery();
});

/** The good client waits for less than a second for 99 % of its responses. */
function expectShortDelay(cause: string, milliseconds: number): Promise<void> {
  return expectWithin(1_000, async () => {
    const { p99, statuses } = await requestTokens(milliseconds);
    console.log(`p99 of the good client during ${cause}: ${p99.toFixed(1)} ms`);
    for (const status of statuses) expect([200, 503]).toContain(status);
    return p99;
  });
}

/** Once what is left of the overload is done, each request of the good client gets a token. */
async function expectRecovery(): Promise<void> {
  await eventually(
    async () => (await requestTokens(100)).statuses.join() === '200',
    () => 'the server does not recover',
    2_000,
  );
  expect((await requestTokens(1_000)).statuses).toEqual([200]);
}

test('3,000 connections with a request each keep no good client waiting for a second', async () => {
  const { hostname, port } = new URL(server.url);
  const bytes = Buffer.from(requestBytes(tokenRequest('good', good.der)));
  let isFlooding = true;
  const flood: Socket[] = [];
  const received: ReadonlyMap<number, number>[] = [];
  for (let opened = 0; opened < 3_000; opened++) {
    const socket = connect(Number(port), hostname).on('error', () => {});
    flood.push(socket);
    received.push(keepSending(socket, bytes, () => isFlooding, 1));
    if (opened % 100 === 99) await delay(20);
  }
  // Node accepts them one by one.
  const unanswered = () => received.filter(({ size }) => size === 0).length;
  await eventually(
    () => unanswered() === 0,
    () => `${unanswered()} connections without a response`,
    30_000,
  );
  await expectShortDelay('3,000 requests', 2_500);
  isFlooding = false;
  for (const socket of flood) socket.destroy();
  await expectRecovery();
});

test('1,200 bodies that arrive byte by byte keep no good client from its token', async () => {
  const { hostname, port } = new URL(server.url);
  const slow = Array.from({ length: 1_200 }, () => connect(Number(port), hostname).on('error', () => {}));
  for (const socket of slow) {
    socket.resume();
    const type = 'Content-Type: application/x-www-form-urlencoded';
    socket.write(`POST /token HTTP/1.1\r\nHost: a\r\n${type}\r\nContent-Length: 10000\r\n\r\na`);
  }
  const dripping = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('a');
  }, 500);
  const { statuses } = await requestTokens(2_500);
  await eventually(
    () => server.auditEvents().some(({ code }) => code === 'body_timeout'),
    () => 'no body has timed out',
    30_000,
  );
  clearInterval(dripping);
  for (const socket of slow) socket.destroy();
  expect(statuses).toEqual([200]);
});

test('a body that stalls gets 408, and the audit event has the reason', async () => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname).setEncoding('latin1');
  let received = '';
  socket.on('data', (text: string) => {
    received += text;
  });
  const head =
    'POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10';
  socket.write(`${head}\r\n\r\na`);
  await eventually(
    () => socket.closed,
    () => `open after ${received}`,
    120_000,
  );
  expect(received).toMatch(/^HTTP\/1\.1 408 /);
  expect(server.auditEvents().at(-1)).toMatchObject({ code: 'body_timeout' });
});

test('peers that send thousands of requests in advance are served, and keep no good client from its token', async () => {
  const { hostname, port } = new URL(server.url);
  const flood = Array.from({ length: 50 }, () => connect(Number(port), hostname).on('error', () => {}));
  const bytes = Buffer.concat(Array(2_000).fill(requestBytes(tokenRequest('good', good.der))));
  const received = flood.map((socket) => keepSending(socket, bytes, () => true, 2_000));
  await delay(500);
  await expectWithin(300, async () => {
    const { statuses, p99 } = await requestTokens(3_000);
    expect(statuses).toEqual([200]);
    return p99;
  });
  for (const socket of flood) socket.destroy();
  console.log(`${count(received, 200)} pipelined requests served`);
  // One request of each connection is served in turn.
  expect([count(received, 200) > 500, count(received, 503)]).toEqual([true, 0]);
});

function count(received: readonly ReadonlyMap<number, number>[], status: number): number {
  return received.reduce((sum, statuses) => sum + (statuses.get(status) ?? 0), 0);
}

const REQUESTS_EACH = 10;

/** Sends the same requests again as soon as the previous ones are answered. Counts the responses by their status. */
function keepSending(
  socket: Socket,
  bytes: Buffer,
  isFlooding: () => boolean,
  requests = REQUESTS_EACH,
): ReadonlyMap<number, number> {
  const statuses = new Map<number, number>();
  let pending = requests;
  socket.setEncoding('latin1').on('data', (text: string) => {
    for (const [, digits] of text.matchAll(/HTTP\/1\.1 (\d{3})/g)) {
      pending -= 1;
      statuses.set(Number(digits), (statuses.get(Number(digits)) ?? 0) + 1);
    }
    if (pending > 0 || !isFlooding()) return;
    pending = requests;
    socket.write(bytes);
  });
  socket.write(bytes);
  return statuses;
}
