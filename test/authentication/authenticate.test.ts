import { describe, expect, test } from 'vitest';
import { authenticateClient } from '../../src/authentication/authenticate-client.ts';
import type { Client } from '../../src/clients/client.ts';
import type { PresentedCertificate } from '../../src/clients/methods/method.ts';
import { parseClient } from '../../src/clients/parse-client.ts';
import { parseForm } from '../../src/oauth/form.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { createTrustStore } from '../../src/pki/path/trust-store.ts';
import { type ChainStatus, createChainVerifier } from '../../src/pki/path/verify-chain.ts';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { withSha1 } from '../support/policy.ts';

const now = Date.now();
const ca = createTestCa();
const subject = [
  ['O', 'company'],
  ['CN', 'client'],
] as const;
const pki = ca.issue({
  subject: [...subject],
  dns: ['client.example'],
  uris: ['spiffe://example/client'],
  ips: ['2001:db8::7'],
  emails: ['Client@example.com'],
});
const own = selfSigned({ subject: [...subject] });

const record = (fields: object): Client => {
  const read = parseClient({ client_id: 'a', ...fields }, withSha1, now);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.client;
};
const named = (fields: object) => record({ token_endpoint_auth_method: 'tls_client_auth', ...fields });
const pinned = (...certificates: object[]) =>
  record({ token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates });

const verified: ChainStatus = { verified: true, reason: 'x-ssl-client-verify is "SUCCESS"', paths: undefined };
const unverified: ChainStatus = {
  verified: false,
  code: 'verification_failed',
  reason: 'x-ssl-client-verify is "FAILED:self-signed certificate"',
};
const present = ({ der }: MintedCertificate, chain: ChainStatus = verified): PresentedCertificate => ({
  kind: 'certificate',
  certificate: parseClientCertificate(der),
  chain,
});
const nothing = { clientId: 'a', methods: [] } as const;

/** Authenticates with the certificate alone: the form has no credential. */
const authenticate = (
  client: Client | undefined,
  credentials: Parameters<typeof authenticateClient>[1],
  presented: PresentedCertificate,
  time: number,
) => authenticateClient(client, credentials, { form: parseForm(''), presented, now: time });

const refusal = async (...args: Parameters<typeof authenticate>): Promise<OAuthError> => {
  try {
    await authenticate(...args);
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
  throw new Error('accepted');
};

describe('tls_client_auth accepts', () => {
  test.each([
    ['the subject', { tls_client_auth_subject_dn: 'CN=client,O=company' }],
    ['the subject in other case and spacing', { tls_client_auth_subject_dn: 'cn=CLIENT,o=Company' }],
    ['a DNS name', { tls_client_auth_san_dns: 'CLIENT.example' }],
    ['a URI', { tls_client_auth_san_uri: 'spiffe://example/client' }],
    ['an IP address in another spelling', { tls_client_auth_san_ip: '2001:0DB8:0::7' }],
    ['an email address', { tls_client_auth_san_email: 'Client@EXAMPLE.com' }],
    [
      'a seed secret',
      { token_endpoint_auth_method: undefined, client_secrets: [{ type: 'X509Name', value: 'CN=client, O=company' }] },
    ],
  ])('%s', async (_, fields) => {
    const result = await authenticate(named(fields), nothing, present(pki), now);
    expect(result).toMatchObject({
      registration: { method: 'tls_client_auth' },
      certificate: { thumbprint: pki.thumbprint },
    });
  });
});

describe('tls_client_auth rejects', () => {
  const byName = named({ tls_client_auth_subject_dn: 'CN=client,O=company' });
  test.each([
    ['a chain that is not verified', byName, present(pki, unverified), 'chain is not verified'],
    ['the same name, self-signed', byName, present(own, unverified), 'chain is not verified'],
    [
      'another name',
      named({ tls_client_auth_subject_dn: 'CN=client2,O=company' }),
      present(pki),
      'registered is "CN=client2,O=company"',
    ],
    ['part of the registered name', named({ tls_client_auth_subject_dn: 'CN=client' }), present(pki), 'registered is'],
    [
      'the reversed name',
      named({ tls_client_auth_subject_dn: 'O=company,CN=client' }),
      present(pki),
      'register CN=client,O=company',
    ],
    [
      'the value in another attribute',
      named({ tls_client_auth_subject_dn: 'OU=client,O=company' }),
      present(pki),
      'registered is',
    ],
    ['a parent domain', named({ tls_client_auth_san_dns: 'example' }), present(pki), 'alternative names (dns)'],
    [
      'a URI in other case',
      named({ tls_client_auth_san_uri: 'spiffe://example/Client' }),
      present(pki),
      'alternative names (uri)',
    ],
    [
      'the local part in other case',
      named({ tls_client_auth_san_email: 'client@example.com' }),
      present(pki),
      'alternative names (email)',
    ],
    [
      'a DNS name that stands as the CN',
      named({ tls_client_auth_san_dns: 'client' }),
      present(pki),
      'alternative names (dns)',
    ],
    [
      'a certificate without the kind',
      named({ tls_client_auth_san_dns: 'client.example' }),
      present(ca.issue()),
      'are: none',
    ],
    [
      'a SHA-1 signature',
      named({ tls_client_auth_subject_dn: 'CN=client' }),
      present(ca.issue({ signatureHash: 'SHA-1' })),
      'SHA-1',
    ],
    [
      'no certificate',
      byName,
      { kind: 'none', code: 'certificate_missing', reason: 'the proxy sent none' } as const,
      'no certificate: the proxy sent none',
    ],
    [
      'a seed secret in another case',
      record({ client_secrets: [{ type: 'X509Name', value: 'CN=Client, O=company' }] }),
      present(pki),
      'which differs in case or spaces',
    ],
    [
      'a seed secret with another space',
      record({ client_secrets: [{ type: 'X509Name', value: 'CN=" client", O=company' }] }),
      present(pki),
      'which differs in case or spaces',
    ],
    [
      'an ended seed secret',
      record({ client_secrets: [{ type: 'X509Name', value: 'CN=client, O=company', expiration: '2020-01-01' }] }),
      present(pki),
      'has ended',
    ],
  ])('%s', async (_, client, presented, reason) => {
    const error = await refusal(client, nothing, presented, now);
    expect(error).toMatchObject({ error: 'invalid_client', description: 'Client authentication failed.' });
    expect(error.reason).toContain(reason);
  });

  test.each(['victim\0', '\0victim', 'vic\u200btim', 'vic\u00adtim'])(
    'a name that only looks like the registered one: %j',
    async (cn) => {
      const certificate = ca.issue({ subject: [['CN', cn]] });
      const client = named({ tls_client_auth_subject_dn: 'CN=victim' });
      expect((await refusal(client, nothing, present(certificate), now)).reason).toContain('cannot match any client');
    },
  );
});

describe('a client pinned to a CA', () => {
  const root = createTestCa({ subject: [['CN', 'Root']] });
  const intermediate = root.issueIntermediate({ subject: [['CN', 'Issuing']] });
  const leaf = intermediate.issue({ subject: [...subject] });
  const trust = createTrustStore([root, intermediate].map(({ der }) => parseCaCertificate(der)));
  const verifyChain = createChainVerifier(() => trust);
  const judged = verifyChain({ certificate: parseClientCertificate(leaf.der), chain: [] }, now);
  const keyOf = ({ der }: MintedCertificate) => parseCaCertificate(der).publicKeyThumbprint;
  const pinnedTo = (...cas: MintedCertificate[]) =>
    named({ tls_client_auth_subject_dn: 'CN=client,O=company', tls_client_auth_ca: cas.map(keyOf) });
  const impostor = createTestCa({ subject: [['CN', 'Root']] });

  test.each([
    ['its root', [root]],
    ['the intermediate', [intermediate]],
    ['one of several', [impostor, root]],
  ])('accepts a path through %s', async (_, cas) => {
    const result = await authenticate(pinnedTo(...cas), nothing, present(leaf, judged), now);
    expect(result.registration.method).toBe('tls_client_auth');
  });

  test('rejects another CA of the same name, and the reason lists the CAs on the path', async () => {
    const { reason } = await refusal(pinnedTo(impostor), nothing, present(leaf, judged), now);
    expect(reason).toContain(`the client is pinned to CA key ${keyOf(impostor)}; the certificate's path goes through`);
    expect(reason).toContain(`${keyOf(root)} ("CN=Root")`);
  });

  test('rejects a chain that the terminator verified', async () => {
    const { reason } = await refusal(pinnedTo(root), nothing, present(leaf, verified), now);
    expect(reason).toContain('the path is not known: COUNTERSIGN_CHAIN_VERIFIED_BY is not countersign');
  });
});

describe('self_signed_tls_client_auth by a public key', () => {
  const { publicKey: publicKeyThumbprint } = parseClientCertificate(own.der).otherThumbprints;
  const client = pinned({ public_key_thumbprint: publicKeyThumbprint, not_after: new Date(now + 1000).toISOString() });

  test('accepts a renewed certificate with the same key, and none with another key', async () => {
    const renewed = selfSigned({ subject: [['CN', 'renewed']], keys: own.keys });
    for (const certificate of [own, renewed]) {
      expect((await authenticate(client, nothing, present(certificate, unverified), now)).registration.method).toBe(
        'self_signed_tls_client_auth',
      );
    }
    expect((await refusal(client, nothing, present(selfSigned({ subject: [...subject] })), now)).reason).toContain(
      'is not registered',
    );
  });

  test('ends with the registration', async () => {
    expect((await refusal(client, nothing, present(own), now + 2000)).reason).toContain('has ended');
  });
});

describe('self_signed_tls_client_auth', () => {
  const client = pinned({ thumbprint: own.thumbprint });

  test('accepts the registered certificate, whether or not its chain is verified', async () => {
    for (const chain of [verified, unverified]) {
      expect((await authenticate(client, nothing, present(own, chain), now)).registration.method).toBe(
        'self_signed_tls_client_auth',
      );
    }
  });

  test('accepts each of several registered certificates', async () => {
    const both = pinned({ thumbprint: pki.thumbprint }, { pem: own.pem });
    for (const certificate of [own, pki])
      expect((await authenticate(both, nothing, present(certificate), now)).client).toBe(both);
  });

  test('rejects any other certificate, even with the same name and key', async () => {
    const renewed = selfSigned({ subject: [...subject], keys: own.keys });
    expect((await refusal(client, nothing, present(renewed), now)).reason).toContain(renewed.thumbprint);
    expect((await refusal(client, nothing, present(pki), now)).reason).toContain('is not registered');
  });

  test('rejects a registration that has ended, to the millisecond', async () => {
    const until = pinned({ thumbprint: own.thumbprint, not_after: new Date(now).toISOString() });
    expect((await authenticate(until, nothing, present(own), now)).client).toBe(until);
    expect((await refusal(until, nothing, present(own), now + 1)).reason).toContain('has ended');
  });

  test('rejects a registration that has not started, to the millisecond, and the reason states when it starts', async () => {
    const from = pinned({ thumbprint: own.thumbprint, not_before: new Date(now).toISOString() });
    expect((await authenticate(from, nothing, present(own), now)).client).toBe(from);
    expect((await refusal(from, nothing, present(own), now - 1)).reason).toContain(
      `has not started: it starts at ${new Date(now).toISOString()}`,
    );
  });

  test('applies the registration that is effective now if a certificate has several', async () => {
    const at = (milliseconds: number) => new Date(now + milliseconds).toISOString();
    const periods = [{ not_after: at(-1000) }, { not_before: at(2000) }, { not_before: at(1000) }];
    const client = pinned(...periods.map((period) => ({ thumbprint: own.thumbprint, ...period })));
    expect((await authenticate(client, nothing, present(own), now - 1000)).client).toBe(client);
    expect((await refusal(client, nothing, present(own), now)).reason).toContain(`it starts at ${at(1000)}`);
    expect((await authenticate(client, nothing, present(own), now + 1000)).client).toBe(client);
  });

  test('advises the replacement of a SHA-1 thumbprint', async () => {
    const { sha1 } = parseClientCertificate(own.der).otherThumbprints;
    const seed = pinned({ thumbprint: Buffer.from(sha1, 'base64url').toString('hex') });
    expect((await authenticate(seed, nothing, present(own), now)).advice).toContain(own.thumbprint);
    expect((await authenticate(client, nothing, present(own), now)).advice).toBeUndefined();
  });
});

describe('every method', () => {
  const client = pinned({ thumbprint: own.thumbprint });

  test.each([
    ['an unknown client', undefined, 'no client is registered'],
    [
      'a disabled client',
      record({
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=client,O=company',
        enabled: false,
      }),
      'disabled',
    ],
  ])('rejects %s', async (_, unknown, reason) => {
    expect((await refusal(unknown, nothing, present(pki), now)).reason).toContain(reason);
  });

  test('checks validity on each request, not when the certificate was parsed', async () => {
    const presented = present(own);
    const certificate = parseClientCertificate(own.der);
    expect((await refusal(client, nothing, presented, certificate.notBefore - 1)).reason).toContain('not valid before');
    expect((await refusal(client, nothing, presented, certificate.notAfter + 1000)).reason).toContain('expired');
    expect((await authenticate(client, nothing, presented, certificate.notAfter)).client).toBe(client);
  });

  test.each(['client_secret_basic', 'client_secret_post', 'client_assertion'] as const)(
    'rejects %s together with a certificate',
    async (method) => {
      expect((await refusal(client, { clientId: 'a', methods: [method] }, present(own), now)).error).toBe(
        'invalid_request',
      );
    },
  );

  test('rejects a method that the client did not register', async () => {
    const credentials = { clientId: 'a', methods: ['client_secret_post'] } as const;
    expect(
      await refusal(client, credentials, { kind: 'none', code: 'certificate_missing', reason: '' }, now),
    ).toMatchObject({
      error: 'invalid_client',
      reason: expect.stringContaining('registered for self_signed_tls_client_auth'),
    });
  });
});
