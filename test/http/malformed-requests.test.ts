import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../../src/http/listener.ts';
import type { MalformedRequest } from '../../src/http/malformed-requests.ts';
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
      { code: 'INVALID_HOST', reason: expect.stringMatching(/^Host (is "|appears [02] times$)/) },
    ]);
    expect(rejected[0]?.reason.length).toBeLessThan(200);
  });

  test.each(['*', 'http://[/token', 'http:///token', 'http://a@b/token', 'file:///token', '/a\\b'])(
    'with the target %s',
    async (target) => {
      const response = await send(`GET ${target} HTTP/1.1`, 'Host: auth.example');
      expect([response.status, response.json()]).toMatchObject([400, { error: 'invalid_request' }]);
      expect(rejected).toEqual([{ code: 'INVALID_TARGET', reason: expect.stringContaining(JSON.stringify(target)) }]);
    },
  );

  test.each([
    [417, 'INVALID_EXPECTATION', 'GET / HTTP/1.1\r\nExpect: x'],
    [400, 'INVALID_METHOD', 'CONNECT auth.example:443 HTTP/1.1'],
  ])('%i for %s', async (status, code, head) => {
    const response = await send(head, 'Host: auth.example');
    expect([response.status, response.json()]).toMatchObject([status, { error: 'invalid_request' }]);
    expect(rejected).toEqual([{ code, reason: expect.any(String) }]);
  });
});

describe('bytes that are not HTTP are reported with a code and an explanation', () => {
  const rawPem = '-----BEGIN CERTIFICATE-----\n\tMIIB\n\t-----END CERTIFICATE-----';
  test.each([
    ['a raw PEM', `GET / HTTP/1.1\r\nHost: a\r\nX: ${rawPem}`, 'HPE_CR_EXPECTED', /\$ssl_client_escaped_cert/],
    ['a raw PEM, not folded', `GET / HTTP/1.1\r\nHost: a\r\nX: a\nb c`, 'HPE_CR_EXPECTED', /^a line feed inside/],
    [
      'a NUL',
      'GET / HTTP/1.1\r\nHost: a\r\nX: a\0',
      'HPE_INVALID_HEADER_TOKEN',
      /^a character that is not allowed in a header/,
    ],
    ['a carriage return', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb', 'HPE_LF_EXPECTED', /^a carriage return/],
    ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 'HPE_INVALID_METHOD', /does the proxy use HTTPS/],
    ['the PROXY protocol', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2', 'HPE_INVALID_METHOD', /PROXY protocol/],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM', 'HPE_PAUSED_H2_UPGRADE', /use HTTP\/1\.1/],
    [
      'a header that is too large',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(70_000)}`,
      'HPE_HEADER_OVERFLOW',
      /larger than 65536 bytes/,
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2',
      'HPE_UNEXPECTED_CONTENT_LENGTH',
      /Duplicate/,
    ],
  ])('%s', async (_, lines, code, reason) => {
    expect((await send(lines)).json()).toMatchObject({ error: 'invalid_request' });
    expect(rejected).toEqual([{ code, reason: expect.stringMatching(reason) }]);
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

test('more header fields than the default limit of Node reach the application', async () => {
  const many = Array.from({ length: 3_000 }, (_, index) => `a${index}:`);
  const response = await send('GET /token HTTP/1.1', ...many, 'Host: auth.example', 'Connection: close');
  expect([response.status, rejected]).toEqual([200, []]);
});
