import { expect, test } from 'vitest';
import { authenticateClient } from '../../src/authentication/authenticate-client.ts';
import { certificateKeys } from '../../src/clients/registry/certificate-keys.ts';
import { authorize } from '../../src/grants/grants.ts';
import { parseForm } from '../../src/oauth/form.ts';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import type { ChainStatus } from '../../src/pki/path/verify-chain.ts';
import type { ReasonCode } from '../../src/reasons/reasons.ts';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { registeredClient } from '../support/registered-client.ts';

const ca = createTestCa();
const caKey = parseCaCertificate(ca.der).publicKeyThumbprint;
const byTerminator: ChainStatus = { verified: true, reason: '', paths: undefined };
const byPath = (of: MintedCertificate): ChainStatus => ({
  verified: true,
  reason: '',
  paths: [{ leaf: parseClientCertificate(ca.issue().der), caCertificates: [parseCaCertificate(of.der)] }],
});
const named = (fields: object) =>
  registeredClient({ client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', ...fields });
const byDn = named({ tls_client_auth_subject_dn: 'CN=other' });
const bySpiffeId = named({ tls_client_auth_spiffe_id: 'spiffe://example/client', tls_client_auth_ca: [caKey] });
const pinned = named({ tls_client_auth_subject_dn: 'CN=client', tls_client_auth_ca: [caKey] });

test.each<[ReasonCode, ReturnType<typeof named>, MintedCertificate, ChainStatus?]>([
  ['subject_dn_mismatch', byDn, ca.issue()],
  ['subject_dn_unmatchable', byDn, ca.issue({ subject: [['CN', 'other\0']] })],
  ['san_mismatch', named({ tls_client_auth_san_dns: 'a.example' }), ca.issue({ dns: ['b.example'] })],
  ['signature_algorithm_weak', byDn, ca.issue({ signatureHash: 'SHA-1' })],
  ['ca_pin_unverifiable', pinned, ca.issue()],
  ['ca_pin_mismatch', pinned, ca.issue(), byPath(createTestCa())],
  ['spiffe_id_mismatch', bySpiffeId, ca.issue({ uris: ['spiffe://example/another'] }), byPath(ca)],
  ['spiffe_id_missing', bySpiffeId, ca.issue(), byPath(ca)],
])('%s is the code of a client that is not authenticated', async (code, client, { der }, chain = byTerminator) => {
  const presented = { kind: 'certificate', certificate: parseClientCertificate(der), chain } as const;
  const request = { form: parseForm(''), presented, now: Date.now() };
  await expect(authenticateClient(client, { clientId: 'a', methods: [] }, request)).rejects.toMatchObject({ code });
});

test('certificate_identities_excessive is the code of a certificate with too many names', () => {
  const { der } = ca.issue({ dns: Array.from({ length: 100 }, (_, index) => `${index}.example`) });
  expect(() => certificateKeys(parseClientCertificate(der))).toThrow(
    expect.objectContaining({ code: 'certificate_identities_excessive' }),
  );
});

test('scope_resource_mismatch is the code of a scope that does not belong to the resource', () => {
  const client = named({
    tls_client_auth_subject_dn: 'CN=a',
    scope: 'read write',
    audience: { read: 'https://a', write: 'https://b' },
  });
  const form = parseForm('grant_type=client_credentials&scope=read&resource=https://b');
  expect(() => authorize({ client, sub: 'a', form, now: 0 })).toThrow(
    expect.objectContaining({ code: 'scope_resource_mismatch' }),
  );
});
