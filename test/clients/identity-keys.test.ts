import { describe, expect, test } from 'vitest';
import { identitiesOfCertificate, identityKey } from '../../src/clients/identities.ts';
import { identitiesOf } from '../../src/clients/registered-identities.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { thumbprintOf } from '../support/certificates.ts';
import { manyNamed, registeredClient } from '../support/registered-client.ts';

const parsed = parseClientCertificate(manyNamed.der);
const publicKey = thumbprintOf(manyNamed.keys.publicKey.export({ type: 'spki', format: 'der' }));
const sha1 = Buffer.from(parsed.otherThumbprints.sha1, 'base64url').toString('hex');

describe('the identities of a certificate', () => {
  const keysOfCertificate = identitiesOfCertificate(parsed).map(identityKey);
  test.each<[string, object]>([
    ['thumbprint', { certificates: [{ thumbprint: manyNamed.thumbprint }] }],
    ['SHA-1 thumbprint', { certificates: [{ thumbprint: sha1 }] }],
    ['PEM', { certificates: [{ pem: manyNamed.pem }] }],
    ['public key', { certificates: [{ public_key_thumbprint: publicKey }] }],
    ['subject in another notation', { tls_client_auth_subject_dn: 'cn=CLIENT, o=Company' }],
    ['DNS name in another case', { tls_client_auth_san_dns: 'a.EXAMPLE' }],
    ['URI', { tls_client_auth_san_uri: 'spiffe://a/b' }],
    ['IP address in another notation', { tls_client_auth_san_ip: '10.0.0.1' }],
    ['email address', { tls_client_auth_san_email: 'me@a.example' }],
  ])('include that of a client registered by its %s', (_, fields) => {
    const keys = identitiesOf(registeredClient(fields)).map(identityKey);
    expect(keys).toHaveLength(1);
    expect(keysOfCertificate).toEqual(expect.arrayContaining(keys));
  });

  test('include no others', () => {
    expect(new Set(keysOfCertificate).size).toBe(9);
    for (const fields of [{ tls_client_auth_san_dns: 'b.example' }, { tls_client_auth_subject_dn: 'O=company' }]) {
      expect(keysOfCertificate).not.toContain(
        identityKey(identitiesOf(registeredClient(fields))[0] ?? { kind: 'dn', value: '' }),
      );
    }
  });
});

test('identityKey contains no glob characters of Redis, whatever the name contains', () => {
  const keys = identitiesOf(registeredClient({ tls_client_auth_san_uri: `spiffe://a/${'*?[x]{b}:'.repeat(100)}` }));
  expect(keys.map(identityKey).join()).toMatch(/^uri:[\w-]{43}$/);
});

test('identityKey distinguishes SHA-1 from SHA-256 thumbprints', () => {
  const [identity] = identitiesOf(registeredClient({ certificates: [{ thumbprint: sha1 }] }));
  expect(identity && identityKey(identity)).toBe(`thumbprint:sha1:${parsed.otherThumbprints.sha1}`);
});

test('identitiesOf returns both names of secrets that differ in case', () => {
  const client_secrets = ['CN=client', 'CN=Client'].map((value) => ({ type: 'X509Name', value }));
  expect(identitiesOf(registeredClient({ client_secrets })).map(({ text }) => text)).toEqual([
    'subject CN=client',
    'subject CN=Client',
  ]);
});

test('identitiesOf returns one identity for a certificate that is registered twice', () => {
  const twice = registeredClient({ certificates: [{ thumbprint: manyNamed.thumbprint }, { pem: manyNamed.pem }] });
  expect(identitiesOf(twice)).toHaveLength(1);
});
