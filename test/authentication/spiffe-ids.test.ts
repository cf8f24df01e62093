import { describe, expect, test } from 'vitest';
import { authenticateClient } from '../../src/authentication/authenticate-client.ts';
import { parseClient } from '../../src/clients/parse-client.ts';
import { parseForm } from '../../src/oauth/form.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import type { ChainStatus } from '../../src/pki/path/verify-chain.ts';
import { type CertificateOptions, createTestCa, type MintedCertificate, type TestCa } from '../support/certificates.ts';
import { der } from '../support/der.ts';
import { alternativeNames, type GeneralName, generalName, nameConstraints } from '../support/general-names.ts';
import { defaultPolicy } from '../support/policy.ts';
import { verifyChain } from '../support/verify-chain.ts';

const root = createTestCa({ subject: [['CN', 'prod.example']], uris: ['spiffe://prod.example'] });
const intermediate = root.issueIntermediate();
const other = createTestCa({ subject: [['CN', 'dev.example']] });
const pinTo = ({ der: bytes }: MintedCertificate) => parseCaCertificate(bytes).publicKeyThumbprint;
const td = 'spiffe://prod.example';
const billing = `${td}/ns/shop/sa/billing`;
const pattern = `${td}/ns/*/sa/billing`;
const longId = `${td}/${'a'.repeat(2048 - td.length - 1)}`;

function registered(spiffeId: string, ca: MintedCertificate = root) {
  const record = {
    client_id: 'billing',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_spiffe_id: spiffeId,
    tls_client_auth_ca: [pinTo(ca)],
  };
  const parsed = parseClient(record, defaultPolicy, 0);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.client;
}

const chainOf = (leaf: MintedCertificate, configured = [root, intermediate, other]) =>
  verifyChain({ configured, leaf });

function authenticate(spiffeId: string, leaf: MintedCertificate, chain: ChainStatus = chainOf(leaf), ca?: TestCa) {
  const presented = { kind: 'certificate', certificate: parseClientCertificate(leaf.der), chain } as const;
  const proof = { form: parseForm(''), presented, now: Date.now() };
  return authenticateClient(registered(spiffeId, ca), { clientId: 'billing', methods: [] }, proof);
}

async function reasonFor(...args: Parameters<typeof authenticate>): Promise<string> {
  const thrown = await authenticate(...args).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(OAuthError);
  expect(thrown).toMatchObject({ error: 'invalid_client', description: 'Client authentication failed.' });
  return thrown instanceof OAuthError ? thrown.reason : '';
}

const svid = (...uris: string[]) => intermediate.issue({ uris });
const withNames = (...names: GeneralName[]) => root.issue({ extraExtensions: [alternativeNames(...names)] });
const { uri, dns } = generalName;

describe('a client that is registered by a SPIFFE ID is authenticated, with that ID as sub, by', () => {
  test.each<[string, string, MintedCertificate, string]>([
    ['this ID', billing, svid(billing), billing],
    ['an ID of its pattern', pattern, svid(billing), billing],
    ['another ID of its pattern', pattern, svid(`${td}/ns/x.y_z-1/sa/billing`), `${td}/ns/x.y_z-1/sa/billing`],
    ['any ID of one segment', `${td}/*`, svid(`${td}/a`), `${td}/a`],
    ['an ID of 2048 bytes', longId, svid(longId), longId],
    ['an ID of 2048 bytes and its pattern', `${td}/*`, svid(longId), longId],
    ['an SVID of the pinned CA itself', pattern, root.issue({ uris: [billing] }), billing],
    [
      'an SVID with names of other types',
      pattern,
      root.issue({ uris: [billing], dns: ['a', 'b'], ips: ['::1'] }),
      billing,
    ],
    ['an SVID without a key usage', pattern, root.issue({ uris: [billing], keyUsage: [] }), billing],
    ['an SVID without a subject', pattern, root.issue({ uris: [billing], subject: [] }), billing],
  ])('%s', async (_, spiffeId, leaf, sub) => {
    expect(await authenticate(spiffeId, leaf)).toMatchObject({ sub, registration: { method: 'tls_client_auth' } });
  });
});

describe('a client that is registered by a SPIFFE ID is rejected with', () => {
  const isNot = 'the certificate is not the X509-SVID of a workload';
  test.each<[string, string, MintedCertificate, string]>([
    [
      'another ID',
      billing,
      svid(`${td}/ns/shop/sa/orders`),
      `the certificate's SPIFFE ID is "${td}/ns/shop/sa/orders"`,
    ],
    ['an ID in another case', billing, svid(`${td}/ns/Shop/sa/billing`), 'registered is'],
    ['another trust domain', pattern, svid('spiffe://prod.example.org/ns/shop/sa/billing'), 'registered is'],
    ['two segments for a wildcard', pattern, svid(`${td}/ns/a/b/sa/billing`), 'registered is'],
    ['a longer path', pattern, svid(`${billing}/x`), 'registered is'],
    ['a shorter path', pattern, svid(`${td}/ns/shop/sa`), 'registered is'],
    ['a wildcard in the certificate', pattern, svid(pattern), `${isNot}: its URI has a wildcard`],
    ['an encoded slash', pattern, svid(`${td}/ns/a%2Fsa%2Fbilling/sa/billing`), 'percent-encoding'],
    ['an encoded letter', billing, svid(`${td}/ns/sho%70/sa/billing`), 'percent-encoding'],
    ['a trust domain in capitals', billing, svid('spiffe://PROD.example/ns/shop/sa/billing'), 'not in lower case'],
    ['a scheme in capitals', billing, svid('SPIFFE://prod.example/ns/shop/sa/billing'), 'not in lower case'],
    ['a port', billing, svid('spiffe://prod.example:443/ns/shop/sa/billing'), 'port'],
    ['user information', billing, svid('spiffe://a@prod.example/ns/shop/sa/billing'), 'user information'],
    ['a query', billing, svid(`${billing}?x`), 'query'],
    ['a trailing slash', billing, svid(`${billing}/`), 'ends with a slash'],
    ['dot segments', billing, svid(`${td}/ns/x/../shop/sa/billing`), 'path segment ".."'],
    ['an empty segment', billing, svid(`${td}/ns//shop/sa/billing`), 'empty path segment'],
    ['an ID of 2049 bytes', `${td}/*`, svid(`${longId}a`), 'longer than 2048 bytes'],
    ['only a trust domain', `${td}/*`, svid(td), 'has no path'],
    ['no URI', pattern, root.issue({ dns: ['prod.example'] }), `${isNot}: it has no URI; registered is`],
    ['no alternative name', pattern, root.issue(), 'it has no URI'],
    ['two SPIFFE IDs', pattern, svid(billing, `${td}/ns/a/sa/billing`), `${isNot}: it has 2 URIs`],
    ['the same SPIFFE ID twice', billing, svid(billing, billing), 'it has 2 URIs'],
    ['a second URI of another scheme', billing, svid(billing, 'https://prod.example'), 'it has 2 URIs'],
    ['a second URI before it', billing, svid('urn:a', billing), 'it has 2 URIs'],
    ['a second URI that contains a NUL', billing, withNames(uri(billing), uri('urn:\0')), 'control or non-ASCII'],
    ['an empty second URI', billing, withNames(uri(billing), uri('')), 'it has 2 URIs'],
    ['a NUL at the end', billing, withNames(uri(`${billing}\0`)), 'control or non-ASCII character'],
    ['a NUL and more', billing, withNames(uri(`${billing}\0.attacker`)), 'control or non-ASCII character'],
    ['a line feed', billing, withNames(uri(`${billing}\n`)), 'control or non-ASCII character'],
    ['a letter beyond ASCII', pattern, withNames(der(0x86, Buffer.from(`${td}/ns/é/sa/billing`))), 'non-ASCII'],
    ['the ID as a DNS name', billing, withNames(dns(billing)), 'it has no URI'],
    [
      'the key usage of a CA',
      pattern,
      root.issue({ uris: [billing], keyUsage: ['digitalSignature', 'keyCertSign'] }),
      'keyCertSign',
    ],
    [
      'the key usage to sign CRLs',
      pattern,
      root.issue({ uris: [billing], keyUsage: ['digitalSignature', 'cRLSign'] }),
      'cRLSign',
    ],
    ['the CN of the ID', billing, root.issue({ subject: [['CN', billing]] }), 'it has no URI'],
  ])('%s', async (_, spiffeId, leaf, reason) => {
    expect(await reasonFor(spiffeId, leaf, chainOf(leaf))).toContain(reason);
  });

  test('the ID from another trusted CA', async () => {
    const reason = await reasonFor(pattern, other.issue({ uris: [billing] }));
    expect(reason).toContain(`the client is pinned to CA key ${pinTo(root)}`);
  });

  test('a chain that only the terminator verified', async () => {
    const chain = { verified: true, reason: 'x-ssl-client-verify is "SUCCESS"', paths: undefined } as const;
    expect(await reasonFor(pattern, svid(billing), chain)).toContain('the path is not known');
  });

  const constrained = (...permitted: string[]) =>
    root.issueIntermediate({ extraExtensions: [nameConstraints({ permitted: permitted.map((name) => uri(name)) })] });
  const below = (ca: TestCa, options: CertificateOptions) => {
    const leaf = ca.issue(options);
    return [leaf, chainOf(leaf, [root, ca])] as const;
  };

  test('an ID outside the name constraints of its CA', async () => {
    const [leaf, chain] = below(constrained('dev.example'), { uris: [billing] });
    expect(await reasonFor(pattern, leaf, chain)).toContain('outside the permitted subtrees');
  });

  test('none within the name constraints of its CA', async () => {
    const [leaf, chain] = below(constrained('prod.example'), { uris: [billing] });
    expect(await authenticate(pattern, leaf, chain)).toMatchObject({ sub: billing });
  });
});

test('a client that is registered by a SPIFFE ID cannot be authenticated by a CA certificate', () => {
  const ca = createTestCa({ uris: [billing] });
  expect(() => parseClientCertificate(ca.der)).toThrow('is a CA certificate');
});

test('the sub of a client that is registered by any other name is its client_id', async () => {
  const record = { client_id: 'b', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_uri: billing };
  const parsed = parseClient(record, defaultPolicy, 0);
  const leaf = svid(billing);
  const presented = {
    kind: 'certificate',
    certificate: parseClientCertificate(leaf.der),
    chain: chainOf(leaf),
  } as const;
  const proof = { form: parseForm(''), presented, now: Date.now() };
  const client = parsed.ok ? parsed.client : undefined;
  expect(await authenticateClient(client, { clientId: 'b', methods: [] }, proof)).toMatchObject({ sub: 'b' });
});
