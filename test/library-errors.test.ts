import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { openHttpListener } from '../src/http/listener.ts';
import { OperatorError } from '../src/operator-error.ts';
import { fetchCrl } from '../src/pki/crl/fetch-crl.ts';
import { createTestCa, selfSigned } from './support/certificates.ts';
import { freePort } from './support/free-port.ts';

/**
 * What an operator reads when a library fails: each row provokes an error for real. No message may contain what only the
 * author of a program understands.
 */
const RAW =
  /fetch failed|undici|error:[0-9A-F]{8}|:SSL routines|\.\.\/deps|NODE_DEBUG|--use-system-ca|getaddrinfo|undefined/;

const opened: Server[] = [];
afterAll(() => {
  for (const server of opened) server.close();
});

async function portOf(server: Server): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
const http = (respond: RequestListener) => portOf(createHttpServer(respond));
const tcp = (onConnection: (socket: Socket) => void) =>
  portOf(createTcpServer((socket) => onConnection(socket.on('error', () => {}))));
const https = ({ pem, privateKeyPem }: { pem: string; privateKeyPem: string }) =>
  portOf(createHttpsServer({ cert: pem, key: privateKeyPem }, (_, response) => response.end('x')));

async function messageOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OperatorError) return error.problems.join('\n');
  return error instanceof Error ? error.message : `did not throw, but returned ${error}`;
}

describe('a CRL that cannot be fetched', () => {
  const ca = createTestCa();
  const server = { eku: 'server', dns: ['localhost'] } as const;
  const plain = () => http((_, response) => response.end('x'));

  test.each<[string, () => Promise<string>, string | RegExp]>([
    ['from an unknown host', async () => 'http://nowhere.invalid/', /the host name is unknown|name server does not/],
    [
      'from a closed port',
      async () => `http://127.0.0.1:${await freePort()}/`,
      'cannot be reached: connection refused',
    ],
    ['from a closed port of a name', async () => `http://localhost:${await freePort()}/`, 'connection refused'],
    ['from a port that HTTP may not use', async () => 'http://127.0.0.1:6000/', 'reserved for another protocol'],
    [
      'over TLS from plain HTTP',
      async () => `https://127.0.0.1:${await plain()}/`,
      'does not respond with TLS on this',
    ],
    ['over HTTP from TLS', async () => `http://127.0.0.1:${await https(selfSigned(server))}/`, 'closed the connection'],
    [
      'from a self-signed server',
      async () => `https://localhost:${await https(selfSigned(server))}/`,
      'self-signed (DEP',
    ],
    [
      'from a server of a private CA',
      async () => `https://localhost:${await https(ca.issue(server))}/`,
      'no trusted CA issued it (UNABLE_TO_VERIFY_LEAF_SIGNATURE); add its CA with NODE_EXTRA_CA_CERTS',
    ],
    [
      'from a server with a client certificate',
      async () => `https://localhost:${await https(selfSigned({ eku: 'client' }))}/`,
      'its extended key usage lacks serverAuth',
    ],
    ['with status 404', async () => `http://127.0.0.1:${await http((_, r) => r.writeHead(404).end())}/`, 'status 404'],
    [
      'from a redirect',
      async () =>
        `http://127.0.0.1:${await http((_, r) => r.writeHead(302, { location: 'https://x.example/a?k=1' }).end())}/`,
      'redirects to https://x.example/a (status 302): set that URL',
    ],
    [
      'in a response that is cut off',
      async () =>
        `http://127.0.0.1:${await http((_, r) => r.writeHead(200, { 'content-length': 9 }).write('x', () => r.destroy()))}/`,
      /cut off|closed the connection/,
    ],
    [
      'in another content encoding than stated',
      async () =>
        `http://127.0.0.1:${await http((_, r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip at all'))}/`,
      'not in the content encoding that it states',
    ],
    [
      'in a response that is not HTTP',
      async () => `http://127.0.0.1:${await tcp((socket) => socket.end('220 mail.example ESMTP\r\n'))}/`,
      'does not respond with HTTP',
    ],
    ['in time', async () => `http://127.0.0.1:${await tcp(() => {})}/`, 'no complete response within 0.4 s'],
  ])('%s', async (situation, url, expected) => {
    const message = await messageOf(
      fetchCrl(await url(), new AbortController().signal, situation === 'in time' ? 400 : undefined),
    );
    expect(message).toMatch(expected);
    expect(message).not.toMatch(RAW);
  });
});

describe('a listener that cannot be opened', () => {
  test.each<[string, string, string]>([
    ['at an address of another machine', '192.0.2.1', 'this machine does not have that address'],
    ['at a link-local address', 'fe80::1', 'link-local addresses are not supported'],
    ['at an unknown name', 'nowhere.invalid', 'name'],
  ])('%s', async (_, host, expected) => {
    const address = { kind: 'tcp', host, port: 0 } as const;
    const message = await messageOf(
      openHttpListener(
        address,
        () => new Response(),
        () => {},
      ),
    );
    expect(message).toContain(`cannot listen on ${host}:0: `);
    expect(message).toContain(expected);
    expect(message).not.toMatch(RAW);
  });
});
