import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { fetchCrl } from '../src/pki/crl/fetch-crl.ts';
import { createTestCa, type MintedCertificate } from './support/certificates.ts';

/** Without supportForeignCurves, each of these servers ends the process of its client with a segmentation fault. */
const brainpool = { keyType: 'ec-brainpool-p256r1', subject: [['CN', 'Brainpool CA']] } as const;
const server = { eku: 'server', dns: ['localhost'] } as const;
const root = createTestCa({ subject: [['CN', 'Root']] });
const foreignRoot = createTestCa(brainpool);
const foreignIntermediate = root.issueIntermediate(brainpool);

const servers: Server[] = [];
const trusted = getCACertificates('default');
setDefaultCACertificates([root.pem, foreignRoot.pem]);
afterAll(() => {
  setDefaultCACertificates(trusted);
  for (const each of servers) each.close().closeAllConnections();
});

/** @returns its URL */
async function serve({ pem, privateKeyPem }: MintedCertificate, above = ''): Promise<string> {
  const listening = createServer({ cert: pem + above, key: privateKeyPem }, (_, response) => response.end('served'));
  servers.push(listening);
  const { promise, resolve } = Promise.withResolvers<void>();
  listening.listen(0, '127.0.0.1', resolve);
  await promise;
  // Safe: it listens on TCP.
  return `https://localhost:${(listening.address() as AddressInfo).port}`;
}

const fetched = async (url: string) => Buffer.from(await fetchCrl(url, new AbortController().signal)).toString();

test.each([
  ['a root', () => serve(foreignRoot.issue(server))],
  ['an intermediate CA', () => serve(foreignIntermediate.issue(server), foreignIntermediate.pem)],
  ['the key of the server', () => serve(root.issue({ ...server, keyType: 'ec-brainpool-p256r1' }))],
])('a client connects to a server with %s on a brainpool curve', async (_, start) => {
  expect(await fetched(await start())).toBe('served');
});

test.each([
  ['P-256', {}],
  ['a brainpool curve', { keyType: 'ec-brainpool-p256r1' }],
] as const)('a client rejects a server with a key on %s for another name', async (_, key) => {
  const url = await serve(root.issue({ ...key, eku: 'server', dns: ['other.example'] }));
  await expect(fetched(url)).rejects.toThrow(/certificate .*other\.example/);
});

test('a client reads the name in the CN of a server without alternative names, unless its key is on a brainpool curve', async () => {
  const named = { eku: 'server', subject: [['CN', 'localhost']] } as const;
  expect(await fetched(await serve(root.issue(named)))).toBe('served');
  const foreign = await serve(root.issue({ ...named, keyType: 'ec-brainpool-p256r1' }));
  await expect(fetched(foreign)).rejects.toThrow(/certificate/);
});
