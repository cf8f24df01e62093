import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { type RunningCountersign, startCountersign } from '../support/countersign.ts';
import { eventually } from '../support/eventually.ts';
import { type Open, openPlain } from '../support/open-connection.ts';
import { openssl } from '../support/openssl.ts';
import { requestBytes, sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CONNECTIONS = 400;
const REQUESTS_EACH = 5;
/** So few that each has its turn within half a second on any machine, and more than the hundred that are always queued. */
const TAKING_TURNS = 160;

const client = selfSigned();
const request = {
  lines: [`X-SSL-Client-Cert: ${encodeURIComponent(client.pem)}`, 'X-SSL-Client-Verify: FAILED:self-signed'],
  body: { grant_type: 'client_credentials', client_id: 'a' },
};
let server: RunningCountersign;

beforeAll(async () => {
  const clients = join(temporaryDirectory(), 'clients.json');
  const record = { client_id: 'a', token_endpoint_auth_method: 'self_signed_tls_client_auth' };
  writeFileSync(clients, JSON.stringify([{ ...record, certificates: [{ pem: client.pem }] }]));
  server = await startCountersign({
    env: {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_CLIENTS_FILE: clients,
      COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'ed25519']),
      // So short that any machine exceeds it with this many requests at once.
      COUNTERSIGN_MAX_QUEUE_DELAY: '1ms',
      // A peer may send its next request in the moment in which its connection is closed as idle.
      COUNTERSIGN_DRAIN_DELAY: '1s',
    },
  });
});
afterAll(() => server.stop());

/** As those of a proxy, the connections are open: Node.js accepts only one new connection in each turn. */
async function openConnections(count = CONNECTIONS): Promise<readonly Open<Socket>[]> {
  const connections = await Promise.all(Array.from({ length: count }, () => openPlain(server.url)));
  for (const { socket } of connections) socket.write(requestBytes({ method: 'GET', path: '/jwks' }));
  await eventually(
    () => connections.every(({ received }) => received().includes('"keys"')),
    () => 'connections are not accepted',
    30_000,
  );
  return connections;
}

/** Sends the request on each connection, and again as soon as there is a response, unless that one is the last. */
function keepRequesting(connections: readonly Open<Socket>[]) {
  const bytes = requestBytes(request);
  return connections.map(({ socket, closed }) => {
    const peer = { closed, sent: 1, issued: 0, shed: 0 };
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      const [, status] = /HTTP\/1\.1 (\d+)/.exec(text) ?? [];
      if (status === undefined) return;
      if (status === '200') peer.issued += 1;
      else peer.shed += 1;
      if (/^connection: close/im.test(text)) return;
      peer.sent += 1;
      socket.write(bytes);
    });
    socket.write(bytes);
    return peer;
  });
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

const statuses = ({ received }: Open<Socket>): number[] =>
  [...received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

test('a server that was suspended serves or sheds each of 2,000 waiting requests, and then recovers', async () => {
  const before = await sendRequest(server.url, request);
  expect(before.status).toBe(200);
  const connections = await openConnections();
  server.kill('SIGSTOP');
  const waiting = Buffer.concat(Array.from({ length: REQUESTS_EACH }, () => requestBytes(request)));
  for (const { socket } of connections) socket.write(waiting);
  server.kill('SIGCONT');

  // Without the response to the first request.
  const responses = () => connections.flatMap((connection) => statuses(connection).slice(1));
  const expected = CONNECTIONS * REQUESTS_EACH;
  await eventually(
    () => responses().length === expected,
    () => `${responses().length} of ${expected} responses`,
    30_000,
  );
  for (const { socket } of connections) socket.destroy();
  const issued = responses().filter((status) => status === 200).length;
  const shed = responses().filter((status) => status === 503).length;
  expect(issued + shed).toBe(expected);
  expect([issued > 0, shed > 0]).toEqual([true, true]);

  const isShed = ({ event }: { event?: unknown }) => event === 'request_shed';
  await server.waitForEvent(() => server.lines.filter(isShed).length >= shed);
  expect(server.lines.filter(isShed)).toHaveLength(shed);
  expect(server.auditEvents()).toHaveLength(issued + 1);
  expect(server.lines.find(isShed)).toMatchObject({
    level: 'warn',
    code: 'overloaded',
    status: 503,
    reason: expect.stringMatching(
      /^\d+ requests are waiting, the oldest for \d+ ms; COUNTERSIGN_MAX_QUEUE_DELAY is 1 ms$/,
    ),
  });
  const { body: metrics } = await server.fetchOperations('/metrics');
  expect(metrics).toContain(`\ncountersign_requests_shed_total ${shed}\n`);

  for (let round = 0; round < 10; round++) expect((await sendRequest(server.url, request)).status).toBe(200);
  expect((await server.fetchOperations('/readyz')).status).toBe(200);
});

test('connections that try again at once take turns, also after SIGHUP, and each of their requests is answered after SIGTERM', async () => {
  const auditedBefore = server.auditEvents().length;
  const connections = await openConnections(TAKING_TURNS);
  const peers = keepRequesting(connections);
  const issued = () => total(peers.map((peer) => peer.issued));
  const untilIssued = (tokens: number) =>
    eventually(
      () => issued() >= tokens,
      () => `${issued()} of ${tokens} tokens`,
      60_000,
    );
  await untilIssued(20 * TAKING_TURNS);
  server.kill('SIGHUP');
  await untilIssued(40 * TAKING_TURNS);
  // Nearly all were rejected once, in the first moment. Without turns, as many requests are rejected as served, some of the
  // connections are served five times, and others forty times.
  expect(total(peers.map(({ shed }) => shed))).toBeLessThan(issued() / 4);
  expect(Math.min(...peers.map((peer) => peer.issued))).toBeGreaterThan(10);

  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  await eventually(
    () => connections.every(({ closed }) => closed()),
    () => 'a connection is open',
  );
  expect(peers.filter(({ sent, issued: tokens, shed }) => sent !== tokens + shed)).toEqual([]);
  expect(server.auditEvents().slice(auditedBefore)).toHaveLength(issued());
});
