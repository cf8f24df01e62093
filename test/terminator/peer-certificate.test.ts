import { Socket } from 'node:net';
import { type ConnectionOptions, connect, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { peerCertificate } from '../../src/terminator/peer-certificate.ts';
import { createTestCa, type MintedCertificate, selfSigned, thumbprintOf } from '../support/certificates.ts';

/** Real handshakes with a server that verifies against one CA and accepts any client. */
const ca = createTestCa();
const own = selfSigned({ eku: 'server', dns: ['localhost'] });
const server = createTlsServer({
  cert: own.pem,
  key: own.privateKeyPem,
  ca: ca.pem,
  requestCert: true,
  rejectUnauthorized: false,
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** Reads the server side of a connection on which the client presented this certificate. */
async function withSocket<T>(certificate: MintedCertificate | undefined, read: (socket: TLSSocket) => T): Promise<T> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  const accepted = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve));
  const trust: ConnectionOptions = { ca: own.pem, servername: 'localhost', ciphers: 'DEFAULT@SECLEVEL=0' };
  const identity = certificate && { cert: certificate.pem, key: certificate.privateKeyPem };
  const client = connect({ port: address.port, host: '127.0.0.1', ...trust, ...identity });
  client.on('error', () => {});
  const socket = await accepted;
  try {
    return read(socket);
  } finally {
    socket.destroy();
    client.destroy();
  }
}

const presented = (certificate?: MintedCertificate) => withSocket(certificate, peerCertificate);

test('the certificate of the peer is parsed', async () => {
  const notBefore = new Date('2026-01-02T03:04:05Z');
  const notAfter = new Date('2049-12-31T23:59:59Z');
  const names = {
    dns: ['GW.internal', 'gw2.internal'],
    uris: ['spiffe://Mesh/gw'],
    ips: ['192.0.2.1'],
    emails: ['a@b.c'],
  };
  const certificate = ca.issue({ notBefore, notAfter, ...names });
  expect(await presented(certificate)).toEqual({
    kind: 'certificate',
    thumbprint: certificate.thumbprint,
    names: ['dns:gw.internal', 'dns:gw2.internal', 'uri:spiffe://mesh/gw'],
    notBefore: notBefore.getTime(),
    notAfter: notAfter.getTime(),
    issuers: [thumbprintOf(ca.der)],
    chainError: undefined,
  });
  const untrusted = selfSigned();
  const chainError = 'DEPTH_ZERO_SELF_SIGNED_CERT';
  expect(await presented(untrusted)).toMatchObject({ thumbprint: untrusted.thumbprint, names: [], chainError });
});

test('a name of the peer with a control character is ignored', async () => {
  const certificate = ca.issue({ dns: ['gw.internal\0.evil.example', 'gw2.internal'] });
  expect(await presented(certificate)).toMatchObject({ kind: 'certificate', names: ['dns:gw2.internal'] });
});

test('the certificate of the peer is parsed once per connection', async () => {
  const certificate = ca.issue();
  const [first, second] = await withSocket(certificate, (socket) => [peerCertificate(socket), peerCertificate(socket)]);
  expect(first).toMatchObject({ kind: 'certificate' });
  expect(second).toBe(first);
});

describe('the peer has no certificate', () => {
  test('if it presented none', async () => expect(await presented()).toEqual({ kind: 'none' }));
  test('over plain TCP', () => expect(peerCertificate(new Socket())).toEqual({ kind: 'none' }));
  test('on a connection that is closed', async () => {
    const closed = await withSocket(ca.issue(), (socket) => socket);
    expect(peerCertificate(closed)).toEqual({ kind: 'none' });
  });
});

describe('the certificate of the peer is unacceptable', () => {
  const manyNames = Array.from({ length: 700 }, (_, index) => `client-number-${index}.example`);
  const subjectAlternativeName = '2.5.29.17';
  test.each<[string, MintedCertificate, string]>([
    ['too weak', ca.issue({ keyType: 'rsa-1024' }), 'has an RSA key of 1024 bits'],
    ['too long', ca.issue({ dns: manyNames }), 'is longer than 16384 bytes'],
    [
      'malformed',
      ca.issue({ extraExtensions: [{ oid: subjectAlternativeName, value: Buffer.of(5, 0) }] }),
      'not a SEQUENCE',
    ],
    [
      'ambiguous',
      ca.issue({ dns: ['a'], extraExtensions: [{ oid: subjectAlternativeName, value: Buffer.of(48, 0) }] }),
      'twice',
    ],
  ])('%s', async (_, certificate, reason) => {
    expect(await presented(certificate)).toEqual({ kind: 'unacceptable', reason: expect.stringContaining(reason) });
  });
});
