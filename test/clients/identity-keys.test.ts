import { describe, expect, test } from 'vitest';
import { identitiesOfCertificate, identityKey } from '../../src/clients/identities.ts';
import { identitiesOf } from '../../src/clients/registered-identities.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { thumbprintOf } from '../support/certificates.ts';
import { manyNamed, registeredClient } from '../support/registered-client.ts';

const parsed = parseClientCertificate(manyNamed.der);
const publicKey = thumbprintOf(manyNamed.keys.publicKey.export({ type: 'spki', format: 'der' }));
const sha1 = Buffer.from(parsed.sha1Thumbprint, 'base64url').toString('hex');

describe('what a client is registered by is among what its certificate is known by', () => {
  const keysOfCertificate = identitiesOfCertificate(parsed).map(identityKey);
  test.each<[string, object]>([
    ['a thumbprint', { certificates: [{ thumbprint: manyNamed.thumbprint }] }],
    ['one of SHA-1', { certificates: [{ thumbprint: sha1 }] }],
    ['the certificate', { certificates: [{ pem: manyNamed.pem }] }],
    ['its key', { certificates: [{ public_key_thumbprint: publicKey }] }],
    ['a subject, spelt another way', { tls_client_auth_subject_dn: 'cn=CLIENT, o=Company' }],
    ['a DNS name, in other case', { tls_client_auth_san_dns: 'a.EXAMPLE' }],
    ['a URI', { tls_client_auth_san_uri: 'spiffe://a/b' }],
    ['an address, spelt another way', { tls_client_auth_san_ip: '10.0.0.1' }],
    ['an email address', { tls_client_auth_san_email: 'me@a.example' }],
  ])('%s', (_, fields) => {
    const keys = identitiesOf(registeredClient(fields)).map(identityKey);
    expect(keys).toHaveLength(1);
    expect(keysOfCertificate).toEqual(expect.arrayContaining(keys));
  });

  test('and nothing else is', () => {
    expect(new Set(keysOfCertificate).size).toBe(8);
    for (const fields of [{ tls_client_auth_san_dns: 'b.example' }, { tls_client_auth_subject_dn: 'O=company' }]) {
      expect(keysOfCertificate).not.toContain(
        identityKey(identitiesOf(registeredClient(fields))[0] ?? { kind: 'dn', value: '' }),
      );
    }
  });
});

test('a key is safe in Redis, whatever the name holds', () => {
  const keys = identitiesOf(registeredClient({ tls_client_auth_san_uri: `spiffe://a/${'*?[x]{b}:'.repeat(100)}` }));
  expect(keys.map(identityKey).join()).toMatch(/^uri:[\w-]{43}$/);
});

test('a SHA-1 thumbprint is told from one of SHA-256', () => {
  const [identity] = identitiesOf(registeredClient({ certificates: [{ thumbprint: sha1 }] }));
  expect(identity && identityKey(identity)).toBe(`thumbprint:sha1:${parsed.sha1Thumbprint}`);
});

test('a certificate that is registered twice is one identity', () => {
  const twice = registeredClient({ certificates: [{ thumbprint: manyNamed.thumbprint }, { pem: manyNamed.pem }] });
  expect(identitiesOf(twice)).toHaveLength(1);
});
