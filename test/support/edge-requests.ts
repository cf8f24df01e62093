import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type RequestOptions, request as requestHttps } from 'node:https';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ReceivedRequest, receivedValues } from './demo-upstream.ts';
import type { Identity } from './deployment.ts';
import { describeWith } from './describe-with.ts';
import { type EdgeDeployment, startEdgeDeployment } from './edge-deployment.ts';
import { apiHost, type EdgeProxy, type EdgeProxyName, edgeProxies } from './edge-proxies.ts';
import { edgeRecords, withRecord } from './edge-records.ts';
import { eventually } from './eventually.ts';
import { type Open, opened } from './open-connection.ts';

const MEGABYTE = 1024 * 1024;
const BODY_LENGTH = 20 * MEGABYTE;

const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'REPORT'];

/**
 * Paths whose first segment is `reports`, or that name it in another way. An API may read some of them as paths below
 * `/orders/`, which has another rule.
 */
const confusing = [
  '/reports/../orders/x',
  '/reports/%2e%2e/orders/x',
  '/reports/.%2E/orders/x',
  '/reports/%2e%2e%2forders/x',
  '/reports/..%2forders/x',
  '/reports/..%5corders/x',
  '/reports/..\\orders/x',
  '/reports/..;/orders/x',
  '/reports/..;a=b/orders/x',
  '/reports/..%3b/orders/x',
  '/reports/;/../../orders/x',
  '/reports/./../orders/x',
  '/reports//../../orders/x',
  '/reports/x/..//../orders/x',
  '/reports/#/../../orders/x',
  '/reports/?/../../orders/x',
  '/reports/..',
  '//reports/orders/x',
  '/%2freports/orders/x',
  '/\\reports/orders/x',
  '//reports/x',
  '/./reports/x',
  '/%72eports/x',
  '/reports%2fx',
  '/reports;/x',
  `/reports/x?${'a'.repeat(60_000)}`,
];

/** Paths below `/orders/`, whose rule is not that of the paths that some APIs read. */
const escaping = confusing.map((path) =>
  path.replaceAll(/reports|orders/g, (name) => (name === 'orders' ? 'reports' : 'orders')),
);

/** What passes through a proxy at the edge, and what does not. */
export function describeEdgeRequests(name: EdgeProxyName): void {
  const { program }: EdgeProxy = edgeProxies[name];

  describeWith([program], `requests through the edge behind ${name}`, () => {
    let deployment: EdgeDeployment;
    let alpha: Identity;
    beforeAll(async () => {
      deployment = await startEdgeDeployment({ proxy: name, replace: edgeProxies[name].patience });
      alpha = deployment.certificateOf('alpha');
    });
    afterAll(() => deployment?.stop());

    /** Sends a request with Node's own client, and waits for the API to have received it if it does. */
    async function send(options: RequestOptions, body: Readable = Readable.from([]), identity?: Identity) {
      const seen = deployment.upstream.requests.length;
      const tls = deployment.tlsOf(identity);
      const own = { host: '127.0.0.1', port: deployment.port, agent: false, ...tls };
      const headers = { host: apiHost, ...options.headers };
      const outgoing = requestHttps({ ...own, ...options, headers });
      // A proxy that rejects a request may close the connection while the body is being sent.
      outgoing.on('error', () => {});
      body.on('error', () => {}).pipe(outgoing);
      const [response] = await once(outgoing, 'response');
      const text = await buffer(response);
      return { status: Number(response.statusCode), text, received: deployment.upstream.requests.slice(seen) };
    }

    async function open(
      identity: Identity | undefined,
      head: readonly string[],
    ): Promise<Open<ReturnType<typeof connectTls>>> {
      const socket = connectTls({ host: '127.0.0.1', port: deployment.port, ...deployment.tlsOf(identity) });
      const connection = opened(socket);
      socket.write([...head, '', ''].join('\r\n'));
      await eventually(() => connection.received().includes('\r\n\r\n') || connection.closed(), connection.received);
      return connection;
    }

    test.each(methods)('%s is checked and passes', async (method) => {
      const path = `/orders/${method}`;
      const denied = await send({ method, path });
      expect([denied.status, denied.received]).toEqual([401, []]);
      const allowed = await send({ method, path }, undefined, alpha);
      expect([allowed.status, allowed.received]).toMatchObject([200, [{ method, target: path }]]);
      expect(denied.text.length > 0 && method === 'HEAD').toBe(false);
    });

    test.each([
      ['with a length', { 'content-length': String(BODY_LENGTH) }],
      ['in chunks', { 'transfer-encoding': 'chunked' }],
      ['after 100 Continue', { 'content-length': String(BODY_LENGTH), expect: '100-continue' }],
    ])('a body of 20 MiB %s arrives untouched', async (_title, headers) => {
      const bytes = randomBytes(BODY_LENGTH);
      const chunks = Array.from({ length: 20 }, (_, index) => bytes.subarray(index * MEGABYTE, (index + 1) * MEGABYTE));
      const options = { method: 'POST', path: '/orders/upload', headers };
      const { status, received } = await send(options, Readable.from(chunks), alpha);
      const bodySha256 = createHash('sha256').update(bytes).digest('hex');
      expect([status, received]).toMatchObject([200, [{ bodyLength: BODY_LENGTH, bodySha256 }]]);
    });

    test('a body is not requested of a client that is denied', async () => {
      const head = ['POST /orders/ HTTP/1.1', `Host: ${apiHost}`, 'Content-Length: 1000000', 'Expect: 100-continue'];
      const seen = deployment.upstream.requests.length;
      const { socket, received } = await open(undefined, head);
      await eventually(() => /^HTTP\/1\.1 401 /m.test(received()), received);
      expect(deployment.upstream.requests.slice(seen)).toEqual([]);
      socket.destroy();
    });

    test('a denied body does not become a request', async () => {
      const inner = `GET /orders/inner HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`;
      const body = { method: 'POST', path: '/orders/outer', body: inner };
      const { response, received } = await deployment.exchange(body);
      expect([response.status, received]).toEqual([401, []]);
    });

    test('a WebSocket passes bytes in both directions', async () => {
      const bytes = randomBytes(200_000);
      const { socket, received } = await open(alpha, webSocket('/orders/socket', 'websocket'));
      expect(received()).toMatch(/^HTTP\/1\.1 101 /);
      const head = received().indexOf('\r\n\r\n') + 4;
      socket.write(bytes);
      await eventually(
        () => received().length >= head + bytes.length,
        () => `${received().length} bytes`,
      );
      expect(Buffer.from(received().slice(head), 'latin1').equals(bytes)).toBe(true);
      socket.destroy();
    });

    test('a WebSocket is checked first', async () => {
      const seen = deployment.upstream.requests.length;
      const { socket, received } = await open(undefined, webSocket('/orders/socket', 'websocket'));
      expect(received()).toMatch(/^HTTP\/1\.1 401 /);
      socket.destroy();
      expect(deployment.upstream.requests.slice(seen)).toEqual([]);
    });

    test('no other protocol replaces HTTP on a connection', async () => {
      const settings = ['Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA'];
      const head = ['GET /orders/ HTTP/1.1', `Host: ${apiHost}`, 'Upgrade: h2c', ...settings];
      const { socket, received } = await open(alpha, head);
      expect(received()).not.toMatch(/^HTTP\/1\.1 101 /);
      socket.destroy();
    });

    test('a record without a token for the API removes that of the client', async () => {
      const token = await deployment.requestToken('alpha', 'https://stock.example');
      await deployment.apply(withRecord(edgeRecords, 'stock', { forward: 'none' }));
      const request = { path: '/stock/', lines: [`Authorization: Bearer ${token}`] };
      const { response, received } = await deployment.exchange(request, alpha);
      const values = received.map((seen) =>
        ['Authorization', 'X-Countersign-Client-Id'].map((n) => receivedValues(seen, n)),
      );
      expect([response.status, values]).toEqual([200, [[[], ['alpha']]]]);
      await deployment.apply(edgeRecords);
    });

    test.each(confusing.map((path) => [path.slice(0, 40), path]))(
      '%s has one rule for proxy and API',
      async (_, path) => {
        const { received } = await deployment.exchange({ path }, alpha);
        expectOneRule(received);
      },
    );

    test.each(escaping.map((path) => [path.slice(0, 40), path]))(
      '%s has one rule for proxy and API',
      async (_, path) => {
        const { received } = await deployment.exchange({ path }, alpha);
        expectOneRule(received);
      },
    );
  });
}

/**
 * Whatever the API makes of the path, the rule was that of the path: it can only be read as one below the prefix of the
 * resource, and never got past the rule of another one.
 */
function expectOneRule(received: readonly ReceivedRequest[]): void {
  for (const request of received) {
    const audience = receivedValues(request, 'X-Countersign-Audience');
    expect(readings(request.target), `${request.target} was checked for ${audience}`).toEqual(audience);
  }
}

/** The resources whose path an API may see in a target: as it is, decoded, without parameters of segments, resolved. */
function readings(target: string): (string | undefined)[] {
  const [path = ''] = target.split('?');
  const decoded = [path, path.replaceAll(/%2f/gi, '/'), decodeURIComponent(path)];
  const separated = decoded.flatMap((text) => [text, text.replaceAll('\\', '/')]);
  const plain = separated.flatMap((text) => [text, text.replaceAll(/;[^/]*/g, '')]);
  const resolved = plain.flatMap((text) => [
    text,
    new URL(`http://api.example${text}`).pathname,
    new URL(text, 'http://api.example').pathname,
    posix.normalize(text),
  ]);
  const names = resolved.map((text) => /^\/+(orders|reports|stock)(?=\/|$)/.exec(text)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].map((name) => `https://${name}.example`);
}

function webSocket(path: string, protocol: string): string[] {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${apiHost}`,
    `Upgrade: ${protocol}`,
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
}
