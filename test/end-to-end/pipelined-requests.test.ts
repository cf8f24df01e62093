import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { type RunningCountersign, startCountersign } from '../support/countersign.ts';
import { eventually } from '../support/eventually.ts';
import { openPlain } from '../support/open-connection.ts';
import { openssl } from '../support/openssl.ts';
import { requestBytes } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Requests that a peer sends without waiting for the response to the one before (RFC 9112 §9.3.2). */
const client = selfSigned();
const certificate = [`X-SSL-Client-Cert: ${encodeURIComponent(client.pem)}`, 'X-SSL-Client-Verify: FAILED:self-signed'];
const form = { grant_type: 'client_credentials', client_id: 'a' };
const token = Buffer.from(requestBytes({ lines: certificate, body: form })).toString();
const formHead = (...lines: string[]) =>
  ['POST /token HTTP/1.1', 'Host: a', 'Content-Type: application/x-www-form-urlencoded', ...lines, '', ''].join('\r\n');
const badChunk = `${formHead('Transfer-Encoding: chunked')}zz\r\n`;
const badHost = 'GET /jwks HTTP/1.1\r\nHost: a b\r\n\r\n';

let server: RunningCountersign;

beforeAll(async () => {
  const folder = temporaryDirectory();
  const record = { client_id: 'a', token_endpoint_auth_method: 'self_signed_tls_client_auth' };
  writeFileSync(join(folder, 'clients.json'), JSON.stringify([{ ...record, certificates: [{ pem: client.pem }] }]));
  server = await startCountersign({
    env: {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_MTLS_URL: 'https://mtls.auth.example',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']),
      COUNTERSIGN_CLIENTS_FILE: join(folder, 'clients.json'),
    },
  });
});
afterAll(() => server.stop());

/** Sends the bytes, waits until the server closes the connection, and returns the responses and the events. */
async function exchange(bytes: string, finish: 'wait' | 'end' = 'wait') {
  const before = server.lines.length;
  const { socket, received, closed } = await openPlain(server.url);
  socket.write(bytes);
  if (finish === 'end') socket.end();
  await eventually(closed, () => `still open: ${received()}`);
  const statuses = [...received().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  const tokens = received().split('"access_token"').length - 1;
  // A later request whose event follows those of this exchange.
  const marker = `marker-${before}`;
  const { socket: other } = await openPlain(server.url);
  other.write(requestBytes({ lines: ['Connection: close'], body: { ...form, client_id: marker } }));
  await server.waitForEvent(({ client_id }) => client_id === marker);
  const events = server.lines.slice(before).filter(({ client_id }) => client_id !== marker);
  return {
    statuses,
    tokens,
    events: events.map(({ event, code, reason }) => ({ event, code, reason: String(reason) })),
  };
}

const issued = { event: 'token_issued' };
const incomplete = {
  event: 'token_rejected',
  reason: 'the request body is incomplete: a chunk of the body has an invalid size',
};
const malformed = (code: string) => ({ event: 'request_malformed', code });

describe('the responses to requests on one connection keep their order, with one event for each', () => {
  test.each([
    ['a token and a malformed body', token + badChunk, [200, 400], [issued, incomplete]],
    ['two tokens and a malformed body', token + token + badChunk, [200, 200, 400], [issued, issued, incomplete]],
    [
      'a token and CONNECT',
      `${token}CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n`,
      [200, 400],
      [malformed('tunnel_unsupported'), issued],
    ],
    ['a token and a malformed host', token + badHost, [200, 400], [malformed('host_invalid'), issued]],
    ['a token and bytes that are not HTTP', `${token}GARBAGE\r\n\r\n`, [200], [malformed('http_malformed'), issued]],
    [
      'a token and another expectation',
      `${token}GET /jwks HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n`,
      [200, 417],
      [malformed('expectation_unsupported'), issued],
    ],
  ])('%s', async (_, bytes, statuses, events) => {
    const result = await exchange(bytes);
    expect(result.statuses).toEqual(statuses);
    expect(result.tokens).toBe(events.filter((event) => event === issued).length);
    expect(result.events).toHaveLength(events.length);
    expect(result.events).toEqual(expect.arrayContaining(events.map((event) => expect.objectContaining(event))));
  });

  test('a hundred tokens and a malformed body', async () => {
    const { statuses, tokens, events } = await exchange(token.repeat(100) + badChunk);
    expect([statuses, tokens]).toEqual([[...Array<number>(100).fill(200), 400], 100]);
    expect(events).toHaveLength(101);
  });
});

describe('nothing is processed behind a request after which the connection closes', () => {
  test.each([
    ['a malformed host', badHost, 400, 'host_invalid'],
    [
      'a transfer coding',
      `${formHead('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
      501,
      'transfer_encoding_unsupported',
    ],
    ['an expectation', formHead('Expect: x', 'Content-Length: 0'), 417, 'expectation_unsupported'],
    [
      'an expectation and a malformed body',
      badChunk.replace('Host', 'Expect: x\r\nHost'),
      417,
      'expectation_unsupported',
    ],
    ['a malformed host and body', badChunk.replace('Host: a', 'Host: a b'), 400, 'host_invalid'],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'tunnel_unsupported'],
    ['bytes that are not HTTP', 'GARBAGE\r\n\r\n', 400, 'http_malformed'],
  ])('%s', async (_, bytes, status, code) => {
    const { statuses, events } = await exchange(bytes + token);
    expect([statuses, events]).toMatchObject([[status], [malformed(code)]]);
    expect(events).toHaveLength(1);
  });

  test('Upgrade', async () => {
    const { statuses, events } = await exchange(
      token.replace('Host', 'Connection: Upgrade\r\nUpgrade: h2c\r\nHost') + token,
    );
    expect([statuses, events.length]).toEqual([[200], 1]);
  });
});

test('the server reports bytes that are not HTTP once, however many packets follow', async () => {
  const before = server.lines.length;
  const { socket, received, closed } = await openPlain(server.url);
  for (let packet = 0; packet < 20 && !closed(); packet += 1) {
    socket.write('GARBAGE\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await eventually(closed, received);
  const events = server.lines.slice(before).filter(({ event }) => event === 'request_malformed');
  expect([received().match(/HTTP\/1\.1 /g), events.length]).toEqual([['HTTP/1.1 '], 1]);
});

test.each(['GET /token', 'GET /jwks', 'POST /nowhere', 'POST /token'])(
  'a malformed body behind the response to %s causes neither a second response nor a second event',
  async (line) => {
    const before = server.lines.length;
    const { socket, received, closed } = await openPlain(server.url);
    socket.write(`${line} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await eventually(() => /\r\n\r\n\{.*\}$/.test(received()), received);
    socket.write('zz\r\n');
    await eventually(closed, () => `still open: ${received()}`);
    await exchange(token, 'end');
    const rejections = server.lines.slice(before).filter(({ client_id }) => client_id === undefined);
    expect(rejections.map(({ event }) => event)).toEqual(line.endsWith('/token') ? ['token_rejected'] : []);
    expect(received().match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  },
);

test('a client that closes its side of the connection behind the request gets the response', async () => {
  expect(await exchange(token, 'end')).toMatchObject({ statuses: [200], tokens: 1 });
  expect(await exchange(token + token, 'end')).toMatchObject({ statuses: [200, 200], tokens: 2 });
});

test('a connection that is reset without a request, or between two, is not reported', async () => {
  const before = server.lines.length;
  const idle = await openPlain(server.url);
  idle.socket.resetAndDestroy();
  const served = await openPlain(server.url);
  served.socket.write(token);
  await eventually(() => served.received().includes('access_token'), served.received);
  served.socket.resetAndDestroy();
  await exchange(token, 'end');
  expect(server.lines.slice(before).filter(({ event }) => event === 'request_malformed')).toEqual([]);
});
