import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SheddingCause } from '../../src/http/load-shedding.ts';
import { selfSigned } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { unlimited } from '../support/listener-limits.ts';
import { sendRaw } from '../support/raw-http.ts';
import { registeredClient } from '../support/registered-client.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

/** What proxies read of a response, byte for byte. */
const caller = selfSigned();
const certificate = `X-SSL-Client-Cert: ${encodeURIComponent(caller.pem)}`;
let edge: EdgeServer;

beforeAll(async () => {
  const client = registeredClient({
    client_id: 'a',
    scope: 'read',
    audience: 'https://api.example',
    certificates: [{ pem: caller.pem }],
  });
  const metadata = { name: 'described', resource_metadata: 'https://api.example/.well-known/oauth-protected-resource' };
  edge = await startEdge({ clients: [client], resources: [{}, metadata, { name: 'admin', scope: 'read admin' }] });
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.events.splice(0);
  edge.malformed.splice(0);
  edge.replaced.registry = {};
  edge.replaced.isLogWritten = true;
});

/** Sends the head of a check that has the caller's certificate; `lines` come before it. */
const check = (requestLine: string, ...lines: string[]) =>
  sendRaw(edge.url, Buffer.from([requestLine, ...lines, certificate, '', ''].join('\r\n'), 'latin1'));
const withoutCertificate = (path: string, ...lines: string[]) =>
  sendRaw(edge.url, Buffer.from([`GET ${path} HTTP/1.1`, 'Host: edge', ...lines, '', ''].join('\r\n')));

const approvalLines = [
  expect.stringMatching(/^Authorization: Bearer [\w-]+\.[\w-]+\.[\w-]+$/),
  'X-Countersign-Client-Id: a',
  'X-Countersign-Subject: a',
  'X-Countersign-Scope: read',
  'X-Countersign-Audience: https://api.example',
  expect.stringMatching(/^X-Countersign-Expires: \d{10}$/),
  'Content-Length: 0',
];

test('an approval consists of our fields and Content-Length', async () => {
  const { status, headerLines } = await check('GET /edge/mint/api HTTP/1.1', 'Host: edge');
  expect({ status, headerLines }).toEqual({ status: 200, headerLines: approvalLines });
});

describe('a denial has its code, a challenge, and nothing else', () => {
  const malformedHost = ['GET /edge/mint/api HTTP/1.1', 'Host: a', 'Host: b'] as const;
  const closing = 'connection: close';

  test.each<[string, () => ReturnType<typeof check>, number, string[]]>([
    [
      'without a certificate',
      () => withoutCertificate('/edge/mint/api'),
      401,
      ['X-Countersign-Error: invalid_client', 'WWW-Authenticate: Bearer'],
    ],
    [
      'for a resource with metadata',
      () => withoutCertificate('/edge/mint/described'),
      401,
      [
        'X-Countersign-Error: invalid_client',
        'WWW-Authenticate: Bearer resource_metadata="https://api.example/.well-known/oauth-protected-resource"',
      ],
    ],
    [
      'with a scope that does not suffice',
      () => check('GET /edge/mint/admin HTTP/1.1', 'Host: edge'),
      403,
      [
        'X-Countersign-Error: insufficient_scope',
        'WWW-Authenticate: Bearer error="insufficient_scope", scope="read admin"',
      ],
    ],
    ['of an unknown route', () => withoutCertificate('/edge/mint/none'), 403, ['X-Countersign-Error: unknown_route']],
    [
      'in early data',
      () => check('GET /edge/mint/api HTTP/1.1', 'Host: edge', 'Early-Data: 1'),
      401,
      ['X-Countersign-Error: invalid_request', 'WWW-Authenticate: Bearer'],
    ],
    [
      'of a malformed head',
      () => check(...malformedHost),
      401,
      ['X-Countersign-Error: invalid_request', 'WWW-Authenticate: Bearer', closing],
    ],
    [
      'of what is not HTTP',
      () => check('GET /edge/mint/api', 'Host: edge'),
      401,
      ['X-Countersign-Error: invalid_request', 'WWW-Authenticate: Bearer', closing],
    ],
    [
      'of a header that is too large',
      () => check('GET /edge/mint/api HTTP/1.1', 'Host: edge', `X: ${'x'.repeat(130 * 1024)}`),
      401,
      ['X-Countersign-Error: invalid_request', 'WWW-Authenticate: Bearer', closing],
    ],
    [
      'of CONNECT',
      () => check('CONNECT a:1 HTTP/1.1', 'Host: a'),
      403,
      ['X-Countersign-Error: unknown_route', closing],
    ],
  ])('%s', async (_, send, status, lines) => {
    const response = await send();
    const headerLines = response.headerLines.filter((line) => line !== 'Content-Length: 0');
    expect({ status: response.status, headerLines, body: response.body }).toEqual({
      status,
      headerLines: lines,
      body: '',
    });
    expect(response.headerLines).toContain('Content-Length: 0');
  });

  test('if the registry cannot be reached', async () => {
    const { OAuthError } = await import('../../src/oauth/oauth-error.ts');
    const unavailable = new OAuthError('redis_unavailable', { description: 'x', reason: 'Redis is down' });
    edge.replaced.registry = { findByCertificate: () => Promise.reject(unavailable) };
    const { status, headerLines } = await check('GET /edge/mint/api HTTP/1.1', 'Host: edge');
    expect({ status, headerLines }).toEqual({
      status: 503,
      headerLines: ['X-Countersign-Error: temporarily_unavailable', 'Retry-After: 1', 'Content-Length: 0'],
    });
    expect(edge.events).toEqual([expect.objectContaining({ status: 503, reason: 'Redis is down' })]);
  });

  test('if an internal error occurs, whose details are in the audit event alone', async () => {
    edge.replaced.registry = { findResource: () => Promise.reject(new Error('password hunter2')) };
    const { status, headerLines } = await check('GET /edge/mint/api HTTP/1.1', 'Host: edge');
    expect({ status, headerLines }).toEqual({
      status: 503,
      headerLines: ['X-Countersign-Error: server_error', 'Retry-After: 1', 'Content-Length: 0'],
    });
    expect(edge.events).toEqual([expect.objectContaining({ reason: 'unexpected: password hunter2' })]);
  });

  test('if the audit event cannot be written', async () => {
    edge.replaced.isLogWritten = false;
    const { status, headerLines } = await withoutCertificate('/edge/mint/api');
    expect([status, headerLines[0]]).toEqual([503, 'X-Countersign-Error: temporarily_unavailable']);
  });
});

describe('every method is accepted:', () => {
  const methods = [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'TRACE',
    'PROPFIND',
    'M-SEARCH',
    'QUERY',
  ];
  test.each(methods)('%s', async (method) => {
    const { status, headerLines } = await check(`${method} /edge/mint/api HTTP/1.1`, 'Host: edge');
    expect({ status, headerLines }).toEqual({ status: 200, headerLines: approvalLines });
  });
});

describe('a method that the parser does not know is accepted, and the connection closed:', () => {
  const head = (method: string, name = 'api') =>
    `${method} /edge/mint/${name}?a HTTP/1.1\r\nHost: edge\r\n${certificate}\r\n\r\n`;
  const statusesOf = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);

  test.each(['UPDATE', 'CHECKIN', 'VERSION-CONTROL', 'F', 'get', 'GETS', "!#$%&'*+.^_`|~1"])('%s', async (method) => {
    const { received, socket } = await open();
    socket.write(head(method));
    await once(socket, 'end');
    const [status, ...headerLines] = received().trimEnd().split('\r\n');
    expect(status).toBe('HTTP/1.1 200 OK');
    expect(headerLines).toEqual([...approvalLines, 'Connection: close']);
    expect(edge.malformed).toEqual([]);
    socket.destroy();
  });

  test('after other checks, in order, and what follows is not served', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    edge.replaced.registry = {
      findResource: (name) => (name === 'slow' ? promise : Promise.resolve(edge.resources.get(name))),
    };
    const { received, socket } = await open();
    socket.write(head('GET', 'slow') + head('UPDATE') + head('GET', 'admin') + head('LABEL', 'admin'));
    await delay(20);
    resolve(undefined);
    await once(socket, 'end');
    expect(statusesOf(received())).toEqual(['403', '200']);
    socket.destroy();
  });

  test('in two parts', async () => {
    const { received, socket } = await open();
    const bytes = head('UPDATE');
    socket.write(bytes.slice(0, 40));
    await delay(20);
    socket.write(bytes.slice(40));
    await once(socket, 'end');
    expect(statusesOf(received())).toEqual(['200']);
    socket.destroy();
  });

  test('with a body, which is not read', async () => {
    const { received, socket } = await open();
    const request = head('UPDATE').replace('Host:', 'Content-Length: 1000\r\nHost:');
    socket.end(`${request}${head('GET', 'admin')}`);
    await once(socket, 'end');
    expect(statusesOf(received())).toEqual(['200']);
  });

  test('unless the rest of the head is malformed', async () => {
    const { received, socket } = await open();
    socket.write(head('UPDATE').replace('Host: edge', 'Host edge'));
    await once(socket, 'end');
    expect(statusesOf(received())).toEqual(['401']);
    expect(edge.malformed).toHaveLength(1);
    socket.destroy();
  });

  test.each([
    ['a TLS handshake', '\x16\x03\x01\x02\0'],
    ['the PROXY protocol', 'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n'],
    ['a separator in the method', 'UP@DATE /edge/mint/api HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('but not %s', async (_, bytes) => {
    const { received, socket } = await open();
    socket.write(Buffer.from(bytes, 'latin1'));
    await once(socket, 'end');
    expect(statusesOf(received())).toEqual(['401']);
    socket.destroy();
  });
});

describe('a check that announces a body is decided by its head, and is the last one on its connection:', () => {
  test.each([
    ['Content-Length', ['Content-Length: 1000000']],
    ['Transfer-Encoding', ['Transfer-Encoding: chunked']],
    ['an unknown transfer coding', ['Transfer-Encoding: gzip, chunked']],
    ['Expect', ['Expect: 100-continue', 'Content-Length: 5']],
    ['Expect alone', ['Expect: 100-continue']],
    ['an unknown expectation', ['Expect: the-unexpected']],
    ['Upgrade', ['Connection: Upgrade', 'Upgrade: websocket']],
  ])('%s', async (_, lines) => {
    const { received, socket } = await open();
    socket.write([`POST /edge/mint/api HTTP/1.1`, 'Host: edge', ...lines, certificate, '', ''].join('\r\n'));
    await eventually(
      () => received().includes('\r\n\r\n'),
      () => `received ${received()}`,
    );
    // Where the body would be: as a request, it would be the next check.
    socket.end('GET /edge/mint/none HTTP/1.1\r\nHost: edge\r\n\r\n');
    await once(socket, 'close');
    const [status, ...headerLines] = received().trimEnd().split('\r\n');
    expect(status).toBe('HTTP/1.1 200 OK');
    expect(headerLines).toEqual([...approvalLines, 'Connection: close']);
  });

  test('a peer that sends the body after the response is not reset', async () => {
    const { received, socket } = await open();
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    const body = Buffer.alloc(256 * 1024);
    const head = ['POST /edge/mint/api HTTP/1.1', 'Host: edge', `Content-Length: ${body.length}`, certificate, '', ''];
    socket.write(head.join('\r\n'));
    await once(socket, 'data');
    socket.write(body.subarray(1));
    await delay(20);
    socket.end(body.subarray(0, 1));
    await once(socket, 'close');
    expect(errors).toEqual([]);
    expect(received()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('a connection whose body never arrives is closed', async () => {
    const { received, socket } = await open();
    socket.write(`POST /edge/mint/api HTTP/1.1\r\nHost: edge\r\nContent-Length: 5\r\n${certificate}\r\n\r\n`);
    await once(socket, 'end');
    expect(received().split('HTTP/1.1 ')).toHaveLength(2);
    socket.destroy();
  });

  test('an empty one leaves the connection open', async () => {
    const { received, socket } = await open();
    const request = `POST /edge/mint/api HTTP/1.1\r\nHost: edge\r\nContent-Length: 0\r\n${certificate}\r\n\r\n`;
    socket.write(request + request);
    await eventually(
      () => received().split('HTTP/1.1 200 OK').length === 3,
      () => `received ${received()}`,
    );
    expect(received()).not.toMatch(/^connection:/im);
    socket.destroy();
  });
});

test('pipelined checks are answered in order', async () => {
  const { received, socket } = await open();
  const paths = ['/edge/mint/api', '/edge/mint/none', '/edge/mint/admin', '/edge/mint/api'];
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: edge\r\n${certificate}\r\n\r\n`).join(''));
  const statuses = () => [...received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  await eventually(
    () => statuses().length === 4,
    () => `received ${received()}`,
  );
  expect(statuses()).toEqual(['200', '403', '403', '200']);
  socket.destroy();
});

test('a check in flight is answered before the listener closes', async () => {
  const own = await startEdge({ clients: [], resources: [] });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const reached = Promise.withResolvers<void>();
  own.replaced.registry = {
    findResource: () => {
      reached.resolve();
      return promise;
    },
  };
  const response = sendRaw(own.url, Buffer.from('GET /edge/mint/api HTTP/1.1\r\nHost: edge\r\n\r\n'));
  await reached.promise;
  const closed = own.close();
  resolve(undefined);
  expect((await response).headerLines).toEqual([
    'X-Countersign-Error: unknown_route',
    'Content-Length: 0',
    'Connection: close',
  ]);
  await closed;
});

test('checks that have waited too long are shed, whatever their method', async () => {
  const shed: SheddingCause[] = [];
  const limits = { ...unlimited, maxQueueDelay: 0, onShed: (cause: SheddingCause) => void shed.push(cause) };
  const own = await startEdge({ clients: [], resources: [] }, { limits });
  const connections = await Promise.all(Array.from({ length: 400 }, () => open(own.url)));
  for (const { socket } of connections) socket.write('GET /edge/mint/none HTTP/1.1\r\nHost: edge\r\n\r\n');
  const responses = () => connections.flatMap(({ received }) => received().split('HTTP/1.1 ').slice(1));
  await eventually(
    () => responses().length === connections.length,
    () => `received ${responses().length} responses`,
  );
  const unavailable = responses().filter((response) => response.startsWith('503 '));
  expect(unavailable).toHaveLength(shed.length);
  expect(shed.length).toBeGreaterThan(0);
  for (const line of ['X-Countersign-Error: temporarily_unavailable', 'Retry-After: 1', 'Content-Length: 0'])
    expect(unavailable[0]).toContain(`\r\n${line}\r\n`);
  expect(unavailable[0]).not.toMatch(/^(?:date|content-type):/im);
  for (const { socket } of connections) socket.destroy();
  await own.close();
});

describe('HTTP/1.0', () => {
  test('closes the connection', async () => {
    const { status, headerLines } = await check('GET /edge/mint/api HTTP/1.0');
    expect({ status, headerLines }).toEqual({ status: 200, headerLines: [...approvalLines, 'Connection: close'] });
  });

  test('keeps the connection open on request', async () => {
    const { status, headerLines } = await check('GET /edge/mint/api HTTP/1.0', 'Connection: keep-alive');
    expect(status).toBe(200);
    expect(headerLines.slice(approvalLines.length)).toEqual(['Connection: keep-alive', 'Keep-Alive: timeout=75']);
  });
});

describe('Connection may not name', () => {
  test.each(['Authorization', 'close, x-countersign-subject', 'X-SSL-Client-Cert', 'X-Countersign-Proxy-Secret'])(
    '%s',
    async (options) => {
      const { status, headers } = await check('GET /edge/mint/api HTTP/1.1', 'Host: edge', `Connection: ${options}`);
      expect([status, headers.get('x-countersign-error')]).toEqual([401, 'invalid_request']);
      expect(edge.events).toEqual([expect.objectContaining({ reason: expect.stringMatching(/^Connection names /) })]);
    },
  );
});

test('a connection closes behind the response if the peer has closed its side during the check', async () => {
  const [asked, found] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
  const findResource = () => {
    asked.resolve();
    return found.promise;
  };
  edge.replaced.registry = { findResource };
  const { socket, received } = await open();
  socket.write('GET /edge/mint/api HTTP/1.1\r\nHost: edge\r\n\r\n');
  socket.end();
  await asked.promise;
  // The end arrives in one of the next turns of the event loop, however long they take.
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  found.resolve(undefined);
  const before = performance.now();
  await once(socket, 'end');
  // The server closes an idle connection after 76 s.
  expect(performance.now() - before).toBeLessThan(38_000);
  expect(received()).toMatch(/^HTTP\/1\.1 403 /);
  expect(received().toLowerCase()).toContain('\r\nconnection: close\r\n');
});

/** A connection to the edge, and what was received on it so far. */
async function open(url = edge.url) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  await delay(0);
  return { socket, received: () => text };
}
