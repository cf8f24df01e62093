import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Decision } from '../support/authorization-server.ts';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { clientIds, type HttpsServer, identityOf, startHttpsServer } from '../support/https-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { tokenIdsIn } from '../support/token-ids.ts';

/** HTTPS between proxy and server, with the proxy authenticated by its certificate alone. */
const proxyCa = createTestCa({ subject: [['CN', 'Proxy CA']] });
const otherCa = createTestCa({ subject: [['CN', 'Proxy CA']] });
const intermediate = proxyCa.issueIntermediate({ subject: [['CN', 'Proxies 1']] });
const gateway = { dns: ['gw.internal'], subject: [['CN', 'some gateway']] } as const;
const proxy = proxyCa.issue(gateway);
const meshProxy = proxyCa.issue({ uris: ['spiffe://mesh.internal/ns/edge/sa/gw'] });
const below = intermediate.issue(gateway);
const hours = (count: number) => new Date(Date.now() + count * 3_600_000);

const folder = temporaryDirectory();
const file = (certificate: MintedCertificate, name: string) => certificate.writeTo(folder, name).cert;
const byCa = {
  COUNTERSIGN_PROXY_CA_FILE: file(proxyCa, 'proxy-ca'),
  COUNTERSIGN_PROXY_SANS: 'gw.internal, spiffe://mesh.internal/ns/edge/sa/gw',
};

function expectToken({ response, event }: Decision) {
  expect([response.status, event]).toMatchObject([200, { event: 'token_issued' }]);
}

function expectRejection({ response, event }: Decision, reason: string) {
  expect([response.status, response.json().error, tokenIdsIn(response)]).toEqual([400, 'invalid_client', []]);
  expect(event).toMatchObject({
    event: 'token_rejected',
    reason: expect.stringContaining(`no certificate: ${reason}`),
  });
}

const none = 'the proxy presented no certificate in the TLS handshake';
const own = ({ thumbprint }: MintedCertificate, violation: string) =>
  `the proxy certificate (${thumbprint}) ${violation}`;
const unverified = (word: string) => `does not verify against COUNTERSIGN_PROXY_CA_FILE: ${word}`;
const otherName = (names: string) => `is issued for ${names}, but COUNTERSIGN_PROXY_SANS lists none of them`;
const noName = 'no DNS name or URI (only subject alternative names count, not the CN)';

describe('a proxy identified by its CA and name', () => {
  let server: HttpsServer;
  beforeAll(async () => {
    server = await startHttpsServer(byCa);
  });
  afterAll(() => server?.stop());

  test.each<[string, { cert: string; key: string }]>([
    ['a DNS name', identityOf(proxy)],
    ['a URI', identityOf(meshProxy)],
    ['an intermediate that it sends', { ...identityOf(below), cert: below.pem + intermediate.pem }],
    ['no extended key usage', identityOf(proxyCa.issue({ ...gateway, eku: 'none' }))],
    ['another case', identityOf(proxyCa.issue({ dns: ['GW.Internal'] }))],
  ])('is trusted with %s', async (_, tls) => {
    for (const clientId of clientIds) expectToken(await server.ask(clientId, { tls }));
  });

  const expired = proxyCa.issue({ ...gateway, notAfter: hours(-1), notBefore: hours(-2) });
  const early = proxyCa.issue({ ...gateway, notBefore: hours(1) });
  const forServers = proxyCa.issue({ ...gateway, eku: 'server' });
  const forAnything = proxyCa.issue({ ...gateway, eku: 'any' });
  const sha1 = proxyCa.issue({ ...gateway, signatureHash: 'SHA-1' });
  const named = (names: Parameters<typeof proxyCa.issue>[0]) => proxyCa.issue(names);
  const rejected: [string, MintedCertificate, string][] = [
    ['self-signed, of its name', selfSigned(gateway), unverified('DEPTH_ZERO_SELF_SIGNED_CERT')],
    ['of another CA of the same name', otherCa.issue(gateway), unverified('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
    ['whose intermediate is not sent', below, unverified('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
    ['for servers', forServers, unverified('INVALID_PURPOSE: its extended key usage lacks clientAuth')],
    ['for any extended key usage', forAnything, unverified('INVALID_PURPOSE: its extended key usage lacks clientAuth')],
    ['signed with SHA-1', sha1, unverified('UNSPECIFIED: a key or signature in its chain is too weak')],
    ['that expired', expired, 'expired at 20'],
    ['that is not valid yet', early, 'is not valid before'],
    ['of another name', named({ dns: ['other.internal'] }), otherName('dns:other.internal')],
    ['of its name in the CN only', named({ subject: [['CN', 'gw.internal']] }), otherName(noName)],
    ['of its name as a URI', named({ uris: ['gw.internal'] }), otherName('uri:gw.internal')],
    [
      'of its URI as a DNS name',
      named({ dns: ['spiffe://mesh.internal/ns/edge/sa/gw'] }),
      otherName('dns:spiffe://mesh.internal/ns/edge/sa/gw'),
    ],
    ['of its name as an e-mail address', named({ emails: ['gw.internal'] }), otherName(noName)],
    ['of a wildcard', named({ dns: ['*.internal'] }), otherName('dns:*.internal')],
    ['of its name and a dot', named({ dns: ['gw.internal.'] }), otherName('dns:gw.internal.')],
    ['of a name below its', named({ dns: ['x.gw.internal'] }), otherName('dns:x.gw.internal')],
    ['of its two names in one', named({ dns: ['gw.internal, x'] }), otherName('dns:gw.internal, x')],
    [
      'of a URI in another case',
      named({ uris: ['spiffe://mesh.internal/ns/edge/sa/GW'] }),
      otherName('uri:spiffe://mesh.internal/ns/edge/sa/GW'),
    ],
    ['of a client of the same CA', proxyCa.issue({ subject: [['CN', 'victim']] }), otherName(noName)],
  ];
  test.each(rejected)('is not trusted with a certificate %s', async (_, certificate, reason) => {
    for (const clientId of clientIds) {
      expectRejection(await server.ask(clientId, { tls: identityOf(certificate) }), own(certificate, reason));
    }
  });

  test('is not trusted without a certificate, nor if its certificate follows another', async () => {
    const attacker = selfSigned(gateway);
    const chained = { ...identityOf(attacker), cert: attacker.pem + proxy.pem + proxyCa.pem };
    for (const clientId of clientIds) {
      expectRejection(await server.ask(clientId), none);
      expectRejection(await server.ask(clientId, { tls: chained }), own(attacker, unverified('')));
    }
  });

  test('is not trusted because of headers about itself', async () => {
    const claims = [`X-SSL-Client-S-DN: CN=gw.internal`, `Client-Cert: :${Buffer.from(proxy.der).toString('base64')}:`];
    const lines = [...claims, 'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Proto: https', 'Forwarded: for=127.0.0.1'];
    for (const clientId of clientIds) expectRejection(await server.ask(clientId, { lines }), none);
  });

  test('is described in the effective configuration', () => {
    const starting = server.lines.find(({ event }) => event === 'starting');
    const names = 'gw.internal or spiffe://mesh.internal/ns/edge/sa/gw';
    expect(starting?.message).toContain(
      `trusted proxies: loopback with proxy certificate of CA "CN=Proxy CA" for ${names};`,
    );
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(server.listening.message).toBe(`listening on ${server.url}`);
  });
});

test('a proxy certificate of a CA that the system or Node trusts is not accepted', async () => {
  const extra = file(otherCa, 'machine-ca');
  const server = await startHttpsServer({ ...byCa, NODE_EXTRA_CA_CERTS: extra, SSL_CERT_FILE: extra });
  const tls = identityOf(otherCa.issue(gateway));
  expectRejection(await server.ask('self-signed', { tls }), 'the proxy');
  expectToken(await server.ask('self-signed', { tls: identityOf(proxy) }));
  await server.stop();
});

describe('a proxy identified by the thumbprint of its certificate', () => {
  const pinned = selfSigned({ ...gateway, ca: true, eku: 'none' });
  const expired = selfSigned({ ...gateway, notBefore: hours(-2), notAfter: hours(-1) });
  const weak = selfSigned({ keyType: 'rsa-1024' });
  let server: HttpsServer;
  beforeAll(async () => {
    const hex = Buffer.from(proxy.thumbprint, 'base64url').toString('hex').toUpperCase();
    const spelled = [pinned.thumbprint, hex.match(/../g)?.join(':'), expired.thumbprint, weak.thumbprint];
    server = await startHttpsServer({ COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: spelled.join(', ') });
  });
  afterAll(() => server?.stop());

  test.each([
    ['the first certificate, self-signed', pinned],
    ['the second certificate, of an unknown CA', proxy],
  ])('is trusted with %s', async (_, certificate) => {
    for (const clientId of clientIds) expectToken(await server.ask(clientId, { tls: identityOf(certificate) }));
  });

  const unknown = 'is not in COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS';
  test.each<[string, MintedCertificate, string]>([
    ['one of the same names and key', selfSigned({ ...gateway, ca: true, eku: 'none', keys: pinned.keys }), unknown],
    ['another of the same CA', proxyCa.issue(gateway), unknown],
    ['the expired certificate', expired, 'expired at 20'],
  ])('is not trusted with %s', async (_, certificate, reason) => {
    for (const clientId of clientIds) {
      expectRejection(await server.ask(clientId, { tls: identityOf(certificate) }), own(certificate, reason));
    }
  });

  test('is not trusted with a weak key', async () => {
    const tls = { ...identityOf(weak), ciphers: 'DEFAULT@SECLEVEL=0' };
    const reason = 'the proxy certificate has an RSA key of 1024 bits';
    for (const clientId of clientIds) expectRejection(await server.ask(clientId, { tls }), reason);
  });

  test('is not trusted without a certificate, nor if the pinned one follows another', async () => {
    const attacker = selfSigned(gateway);
    const tls = { ...identityOf(attacker), cert: attacker.pem + pinned.pem };
    for (const clientId of clientIds) {
      expectRejection(await server.ask(clientId), none);
      expectRejection(await server.ask(clientId, { tls }), own(attacker, unknown));
    }
  });
});

describe('a proxy that must meet several conditions', () => {
  const secret = 'only-the-proxy-knows-this-0123456789abcdef';
  const lines = [`X-Countersign-Proxy-Secret: ${secret}`];
  const localAddress = '127.0.0.2';
  const sameName = proxyCa.issue(gateway);
  const pinnedElsewhere = selfSigned(gateway);
  const renamed = proxyCa.issue({ dns: ['other.internal'] });
  let server: HttpsServer;
  beforeAll(async () => {
    server = await startHttpsServer({
      ...byCa,
      COUNTERSIGN_TRUSTED_PROXIES: localAddress,
      COUNTERSIGN_PROXY_SECRET: secret,
      COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: [proxy, pinnedElsewhere, renamed].map((c) => c.thumbprint).join(','),
    });
  });
  afterAll(() => server?.stop());

  test('is trusted with address, secret, thumbprint, CA and name', async () => {
    for (const clientId of clientIds) {
      expectToken(await server.ask(clientId, { tls: identityOf(proxy), lines, localAddress }));
    }
  });

  type Direct = Parameters<HttpsServer['ask']>[1];
  test.each<[string, Direct, string]>([
    ['the address', { tls: identityOf(proxy), lines }, 'the peer 127.0.0.1 is not in COUNTERSIGN_TRUSTED_PROXIES'],
    ['the secret', { tls: identityOf(proxy), localAddress }, 'the proxy sent no x-countersign-proxy-secret'],
    [
      'the thumbprint',
      { tls: identityOf(sameName), lines, localAddress },
      own(sameName, 'is not in COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS'),
    ],
    [
      'the CA',
      { tls: identityOf(pinnedElsewhere), lines, localAddress },
      own(pinnedElsewhere, unverified('DEPTH_ZERO_SELF_SIGNED_CERT')),
    ],
    ['the name', { tls: identityOf(renamed), lines, localAddress }, own(renamed, otherName('dns:other.internal'))],
    ['the certificate', { lines, localAddress }, none],
    ['everything', {}, 'the peer 127.0.0.1 is not in COUNTERSIGN_TRUSTED_PROXIES'],
  ])('is not trusted without %s', async (_, direct, reason) => {
    for (const clientId of clientIds) expectRejection(await server.ask(clientId, direct), reason);
  });
});
