import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../../src/http/listener.ts';
import type { MalformedRequest } from '../../src/http/malformed-reasons.ts';
import { sendRaw } from '../support/raw-http.ts';

const rejected: MalformedRequest[] = [];
let listener: HttpListener;
let url: string;

beforeAll(async () => {
  const echo = (request: Request) => new Response(request.url);
  listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, echo, (request) =>
    rejected.push(request),
  );
  url = describeListenAddress(listener.address);
});
afterAll(() => listener.close());
beforeEach(() => {
  rejected.length = 0;
});

const send = (...lines: string[]) => sendRaw(url, Buffer.from([...lines, '', ''].join('\r\n'), 'latin1'));

describe('a malformed request head gets a JSON error and is reported once', () => {
  test.each([
    'Host: a b',
    'Host: [',
    'Host: a@b',
    'Host: a:99999',
    'Host: a:b',
    'Host: auth.example#',
    'Host: auth.example/x',
    'Host: \xe9',
    `Host: ${'a'.repeat(400)}`,
    'Host: a\r\nHost: a',
    'Host: a\r\nhost: b',
    'X-Other: 1',
  ])('with %j', async (lines) => {
    const response = await send('GET /token HTTP/1.1', lines);
    expect([response.status, response.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'The request needs one Host header that holds a host.' },
    ]);
    expect(rejected).toEqual([
      { code: 'host_invalid', reason: expect.stringMatching(/^Host (is "|appears [02] times$)/) },
    ]);
    expect(rejected[0]?.reason.length).toBeLessThan(200);
  });

  test.each(['*', 'http://[/token', 'http:///token', 'http://a@b/token', 'file:///token', '/a\\b'])(
    'with the target %s',
    async (target) => {
      const response = await send(`GET ${target} HTTP/1.1`, 'Host: auth.example');
      expect([response.status, response.json()]).toMatchObject([400, { error: 'invalid_request' }]);
      expect(rejected).toEqual([{ code: 'target_invalid', reason: expect.stringContaining(JSON.stringify(target)) }]);
    },
  );

  test.each([
    [417, 'expectation_unsupported', 'GET / HTTP/1.1\r\nExpect: x'],
    [417, 'expectation_unsupported', 'GET / HTTP/1.1\r\nExpect: 100-continue, x'],
    [400, 'tunnel_unsupported', 'CONNECT auth.example:443 HTTP/1.1'],
  ])('%i for %s', async (status, code, head) => {
    const response = await send(head, 'Host: auth.example');
    expect([response.status, response.json()]).toMatchObject([status, { error: 'invalid_request' }]);
    expect(rejected).toEqual([{ code, reason: expect.any(String) }]);
  });
});

describe('bytes that are not HTTP are reported with a code and an explanation', () => {
  const rawPem = '-----BEGIN CERTIFICATE-----\n\tMIIB\n\t-----END CERTIFICATE-----';
  test.each([
    ['a raw PEM', `GET / HTTP/1.1\r\nHost: a\r\nX: ${rawPem}`, 'header_field_malformed', /\$ssl_client_escaped_cert/],
    [
      'a raw PEM, not folded',
      `GET / HTTP/1.1\r\nHost: a\r\nX: a\nb c`,
      'header_field_malformed',
      /^a line feed inside/,
    ],
    [
      'a NUL',
      'GET / HTTP/1.1\r\nHost: a\r\nX: a\0',
      'header_field_malformed',
      /^a character that is not allowed in a header/,
    ],
    ['a carriage return', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb', 'header_field_malformed', /^a carriage return/],
    ['a space before a colon', 'GET / HTTP/1.1\r\nHost : a', 'header_field_malformed', /or a line feed inside one$/],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b: c\r\n\td', 'header_field_malformed', /inside one$/],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n', 'http_malformed', /does not end with CR LF after/],
    ['a space behind the version', 'GET / HTTP/1.1 \r\nHost: a', 'http_malformed', /does not end with CR LF after/],
    ['two carriage returns', 'GET / HTTP/1.1\r\r\nHost: a', 'http_malformed', /^a carriage return without a line feed/],
    ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 'protocol_mismatch', /^a TLS handshake/],
    ['the PROXY protocol', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2', 'protocol_mismatch', /^the PROXY protocol/],
    ['the PROXY protocol, version 2', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'protocol_mismatch', /^the PROXY protocol/],
    ['an SSH client', 'SSH-2.0-x', 'http_malformed', /^not HTTP$/],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM', 'http_version_unsupported', /use HTTP\/1\.1/],
    [
      'a header that is too large',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(70_000)}`,
      'header_too_large',
      /larger than 65536 bytes/,
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2',
      'content_length_invalid',
      /^Content-Length is sent twice/,
    ],
  ])('%s', async (_, lines, code, reason) => {
    expect((await send(lines)).json()).toMatchObject({ error: 'invalid_request' });
    expect(rejected).toEqual([{ code, cause: expect.stringMatching(/^HPE_/), reason: expect.stringMatching(reason) }]);
  });
});

describe('what the server does not implement is rejected with its own status', () => {
  const chunked = '\r\n\r\n3\r\nabc\r\n0';
  test.each([
    [505, 'http_version_unsupported', 'GET / HTTP/2.0\r\nHost: a'],
    [505, 'http_version_unsupported', 'GET / HTTP/0.9\r\nHost: a'],
    [505, 'http_version_unsupported', 'GET /'],
    [505, 'http_version_unsupported', 'GET / HTTP/1.2\r\nHost: a'],
    [505, 'http_version_unsupported', 'GET / HTTP/1.10\r\nHost: a'],
    [505, 'http_version_unsupported', 'GET / HTTP/3.0\r\nHost: a'],
    [505, 'http_version_unsupported', 'PRI * HTTP/2.0\r\n\r\nSM'],
    [501, 'transfer_encoding_unsupported', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked${chunked}`],
    [
      501,
      'transfer_encoding_unsupported',
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity,chunked${chunked}`,
    ],
    [
      501,
      'transfer_encoding_unsupported',
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\ntransfer-encoding: chunked${chunked}`,
    ],
    [400, 'transfer_encoding_invalid', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip${chunked}`],
    [400, 'transfer_encoding_invalid', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip${chunked}`],
    [501, 'method_unsupported', 'FOO / HTTP/1.1\r\nHost: a'],
    [501, 'method_unsupported', 'get / HTTP/1.1\r\nHost: a'],
  ])('%i %s for %j', async (status, code, text) => {
    const response = await send(text);
    expect([response.status, response.headers.get('connection'), response.json()]).toMatchObject([
      status,
      'close',
      { error: 'invalid_request' },
    ]);
    expect(rejected).toEqual([expect.objectContaining({ code, reason: expect.not.stringContaining('Parse Error') })]);
  });
});

describe('the connection closes after the response to a request', () => {
  const next = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';
  test.each([
    ['with Upgrade', `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${next}`],
    [
      'with Upgrade and a body',
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx`,
    ],
    ['with Upgrade and without Connection', 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n'],
    [
      'with Transfer-Encoding over HTTP/1.0',
      'POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    ],
  ])('%s', async (_, text) => {
    const response = await sendRaw(url, Buffer.from(text, 'latin1'));
    expect([response.status, response.headers.get('connection'), rejected]).toEqual([200, 'close', []]);
  });

  test('and not after an ordinary one', async () => {
    const text = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n';
    const response = await sendRaw(url, Buffer.from(text, 'latin1'));
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'keep-alive']);
  });
});

describe('a request with any valid host is accepted', () => {
  test.each([
    ['GET /token HTTP/1.0'],
    ['GET /token HTTP/1.1', 'Host:'],
    ['GET /token HTTP/1.1', 'Host: AUTH.example:443'],
    ['GET /token HTTP/1.1', 'Host: [0:0:0:0:0:0:0:1]:8443'],
    ['GET /token HTTP/1.1', 'Host: 999.999.999.999'],
    ['GET /token HTTP/1.1', 'Host: a_b..c'],
    ['GET http://999.999.999.999/token HTTP/1.1', 'Host: auth.example'],
  ])('with %j', async (...lines) => {
    const response = await send(...lines, 'Connection: close');
    expect([response.status, new URL(response.body).pathname, rejected]).toEqual([200, '/token', []]);
  });
});

test.each([
  'Expect:',
  'Expect: 100-Continue',
  'Expect: ,100-continue,',
  'Expect: 100-continue\r\nExpect: 100-continue',
])('a request with %j is accepted', async (line) => {
  const response = await send('GET /token HTTP/1.1', 'Host: a', line, 'Connection: close');
  expect([response.status, rejected]).toEqual([200, []]);
});

test('more header fields than the default limit of Node reach the application', async () => {
  const many = Array.from({ length: 3_000 }, (_, index) => `a${index}:`);
  const response = await send('GET /token HTTP/1.1', ...many, 'Host: auth.example', 'Connection: close');
  expect([response.status, rejected]).toEqual([200, []]);
});
