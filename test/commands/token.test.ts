import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { discover } from '../../src/commands/token/discover.ts';
import { type ConnectionContext, exchange } from '../../src/commands/token/exchange.ts';
import { explainErrorResponse } from '../../src/commands/token/explain-response.ts';
import { decodeJwt } from '../../src/commands/token/token-report.ts';
import { clientKeyPair } from '../../src/doctor/probe/client-key-pair.ts';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';

const ca = createTestCa({ subject: [['CN', 'Server CA']] });
const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
const own = ca.issue({ eku: 'server', dns: ['localhost'] });
const responses = new Map<string, { status?: number; headers?: Record<string, string>; body: string }>();
const servers: Server[] = [];

const contextOf = (
  { pem, privateKeyPem }: MintedCertificate,
  serverCa: string | undefined = ca.pem,
): ConnectionContext => ({
  clientKeyPair: clientKeyPair({ certificatePem: pem, privateKeyPem }, new X509Certificate(pem), 'client.pem'),
  serverCa,
  connectTo: undefined,
});
const client = contextOf(clientCa.issue({ subject: [['CN', 'client']] }));

/** A server that requires certificates of the client CA. */
const listen = async ({ pem, privateKeyPem }: MintedCertificate): Promise<string> => {
  const tls = { cert: pem, key: privateKeyPem, ca: clientCa.pem, requestCert: true };
  const server = createServer(tls, ({ url = '' }, response) => {
    const { status = 200, headers = {}, body } = responses.get(url) ?? { status: 404, body: '<h1>404 Not Found</h1>' };
    response.writeHead(status, headers).end(body);
  });
  servers.push(server);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  // Listening on TCP, it has an address with a port.
  return `https://localhost:${(server.address() as AddressInfo).port}`;
};

let url = '';
beforeAll(async () => {
  url = await listen(own);
});
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

const problemOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OperatorError)) throw new Error('no OperatorError', { cause: error });
  return error.message;
};

describe('countersign token explains', () => {
  const get = (target: string, context = client) => problemOf(exchange(new URL(target), undefined, context));

  test('a port on which nothing listens, and one without TLS', async () => {
    const tcp = createTcpServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => tcp.once('listening', resolve));
    const { port } = tcp.address() as AddressInfo; // It listens on TCP.
    expect(await get(`https://localhost:${port}`)).toContain('does not respond with TLS on this port');
    await new Promise((resolve) => tcp.close(resolve));
    expect(await get(`https://localhost:${port}`)).toContain('cannot be reached: connection refused (ECONNREFUSED)');
  });

  test('a server certificate of an unknown CA, for another name, or expired', async () => {
    expect(await get(url, { ...client, serverCa: clientCa.pem })).toContain(
      'pass the certificate of its CA with --cacert',
    );
    const [, port = ''] = url.split('localhost:');
    const connectTo = { host: '127.0.0.1', port: Number(port) };
    expect(await get('https://auth.example', { ...client, connectTo })).toMatch(
      /^the certificate of auth\.example at 127\.0\.0\.1:\d+ is rejected: .*use a host name of the certificate in --url$/,
    );
    const [notBefore, notAfter] = [new Date('2020-01-01'), new Date('2020-02-01')];
    const expired = await listen(ca.issue({ eku: 'server', dns: ['localhost'], notBefore, notAfter }));
    expect(await get(expired)).toContain('it has expired (CERT_HAS_EXPIRED); renew it');
  });

  test('a host name that the server does not serve', async () => {
    // The fatal alert unrecognized_name (RFC 6066 §3), as nginx sends it with ssl_reject_handshake.
    const alert = Buffer.from('15030300020270', 'hex');
    const server = createTcpServer((socket) => socket.once('data', () => socket.end(alert))).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    expect(await get(`https://localhost:${port}`)).toContain('it does not serve this host name: check --url');
    await new Promise((resolve) => server.close(resolve));
  });

  test('a handshake in which the client certificate is rejected', async () => {
    const stranger = contextOf(createTestCa({ subject: [['CN', 'Other CA']] }).issue());
    expect(await get(url, stranger)).toMatch(
      /the TLS handshake with localhost:\d+ failed|closed the connection without a response/,
    );
  });
});

describe('countersign token finds the token endpoint', () => {
  const document = (members: object) => ({ body: JSON.stringify({ issuer: `${url}/a`, ...members }) });
  const METADATA = '/.well-known/oauth-authorization-server/a';

  test('in the metadata of an issuer with a path, and prefers the alias for mutual TLS', async () => {
    const aliases = { token_endpoint: 'https://mtls.example/token' };
    responses.set(METADATA, document({ token_endpoint: `${url}/token`, mtls_endpoint_aliases: aliases }));
    const server = await discover(`${url}/a`, client);
    expect([server.tokenEndpoint.href, server.notes]).toEqual(['https://mtls.example/token', []]);
  });

  test('in the metadata of an OpenID Provider if there are no others, with a note if the issuer is another URL', async () => {
    responses.clear();
    responses.set('/b/.well-known/openid-configuration', document({ token_endpoint: `${url}/token` }));
    const server = await discover(`${url}/b`, client);
    expect([server.tokenEndpoint.href, server.notes]).toEqual([
      `${url}/token`,
      [expect.stringContaining(`${url}/a, not `)],
    ]);
  });

  test('only at an https URL', async () => {
    responses.set(METADATA, document({ token_endpoint: 'http://a.example/token' }));
    expect(await problemOf(discover(`${url}/a`, client))).toContain('"http://a.example/token" is not an https URL');
    expect(await problemOf(discover(`${url}/c`, client))).toMatch(
      /^there is no metadata at .*HTTP 404.*: 404 Not Found$/s,
    );
  });
});

test.each([
  [
    400,
    '{"error":"invalid_client"}',
    /rejects client "a" with invalid_client \(HTTP 400\); check that the client is reg/,
  ],
  [400, '{"error":"invalid_scope","error_description":"No."}', /invalid_scope \(HTTP 400\): No; ask with --scope/],
  [503, '{"error":"temporarily_unavailable"}', /temporarily_unavailable \(HTTP 503\); try again in 5 s$/],
  [
    502,
    '<html><style>p {}</style><h1>Bad\n Gateway</h1>',
    /^HTTP 502 from nginx, the terminator does not reach the server; .*: Bad Gateway$/,
  ],
  [400, 'x\u001b[31m'.repeat(1000), /^HTTP 400 from nginx.*: x\\u\{1b\}/],
])('countersign token explains HTTP %i with %j', (status, body, message) => {
  const response = { status, headers: { server: 'nginx', 'retry-after': '5' }, body };
  const { problem } = explainErrorResponse(response, 'a');
  expect(problem).toMatch(message);
  expect(problem.length).toBeLessThan(2000);
});

test('a token that is not a JWT is not decoded', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect(decodeJwt(`${part({ alg: 'x' })}.${part({ sub: 'a' })}.s`)).toEqual({
    header: { alg: 'x' },
    claims: { sub: 'a' },
  });
  for (const token of ['', 'opaque', 'a.b.c', `${part([])}.${part({})}.`]) expect(decodeJwt(token)).toBeUndefined();
});
