import { describe, expect, test } from 'vitest';
import { isEffective } from '../../src/clients/identities.ts';
import { sharedIdentity } from '../../src/clients/registered-identities.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { selfSigned, thumbprintOf } from '../support/certificates.ts';
import { manyNamed, registeredClient } from '../support/registered-client.ts';

const parsed = parseClientCertificate(manyNamed.der);
const publicKey = thumbprintOf(manyNamed.keys.publicKey.export({ type: 'spki', format: 'der' }));
const sha1 = Buffer.from(parsed.sha1Thumbprint, 'base64url').toString('hex');
const dn = { tls_client_auth_subject_dn: 'CN=client,O=company' };

const keyOf = (name: string) => thumbprintOf(Buffer.from(name));
const [caA, caB, issuing] = [keyOf('A'), keyOf('B'), keyOf('issuing CA')];
const anchors = [caA, caB].map((publicKeyThumbprint) => ({ subjectText: 'CN=root', publicKeyThumbprint }));
const now = Date.parse('2026-01-01');
const findShared = (one: object, other: object, roots = anchors) =>
  sharedIdentity(registeredClient(one), registeredClient(other), { anchors: roots }, now);
const during = (not_before: string | undefined, not_after: string | undefined, more: object = {}) => ({
  certificates: [
    {
      thumbprint: manyNamed.thumbprint,
      ...(not_before !== undefined && { not_before }),
      ...(not_after !== undefined && { not_after }),
    },
  ],
  ...more,
});

const pinned = (...tls_client_auth_ca: string[]) => ({ ...dn, tls_client_auth_ca });
const other = { thumbprint: selfSigned().thumbprint };
const { thumbprint } = manyNamed;
const earlier = { thumbprint, not_before: '2028-01-01', not_after: '2028-02-01' };
const later = { thumbprint, not_before: '2029-01-01', not_after: '2029-02-01' };

describe('sharedIdentity finds the identity of two clients that register', () => {
  test.each<[string, object, object]>([
    ['the same thumbprint', during(undefined, undefined), during(undefined, undefined)],
    [
      'the same key',
      { certificates: [{ public_key_thumbprint: publicKey }] },
      { certificates: [{ public_key_thumbprint: publicKey }] },
    ],
    ['the same name', dn, { tls_client_auth_subject_dn: 'cn=client, o=company' }],
    ['the same name, one of them with a pin', dn, { ...dn, tls_client_auth_ca: [caA] }],
    [
      'the same name, with a common pin',
      { ...dn, tls_client_auth_ca: [caA, caB] },
      { ...dn, tls_client_auth_ca: [caB] },
    ],
    ['the same name, with pins to a root and to an issuing CA', pinned(caA), pinned(issuing)],
    ['the same name, with pins that could be on one path', pinned(keyOf('C')), pinned(issuing)],
    ['the same name, with a pin that is not a root', pinned(caA), pinned(caB, issuing)],
    [
      'the same certificate in their last registrations',
      { certificates: [other, later] },
      { certificates: [{ thumbprint: selfSigned().thumbprint }, earlier, later] },
    ],
    [
      'the same certificate in their last periods',
      { certificates: [earlier, later] },
      { certificates: [{ ...later, not_after: '2029-02-02' }] },
    ],
    [
      'the same certificate in their first periods',
      { certificates: [earlier] },
      { certificates: [{ ...earlier, not_after: '2028-01-01' }, later] },
    ],
    ['a certificate until exactly now', during(undefined, '2026-01-01T00:00:00Z'), during(undefined, undefined)],
    ['a certificate until and from the same day', during(undefined, '2027-01-31'), during('2027-01-31', undefined)],
    [
      'a certificate until and from the same millisecond',
      during(undefined, '2027-01-31T00:00:00Z'),
      during('2027-01-31', '2027-02-01'),
    ],
    ['a certificate in a period within the other', during('2027-01-02', '2027-01-03'), during('2027-01-01', undefined)],
  ])('%s', (_, one, other) => {
    expect(findShared(one, other)).toBeDefined();
    expect(findShared(other, one)).toBeDefined();
  });
});

const withCertificate = { certificates: [{ pem: manyNamed.pem }] };
const withJwk = { jwks: { keys: [{ x5c: [Buffer.from(manyNamed.der).toString('base64')] }] } };

describe('sharedIdentity of a client that registers a certificate and a client that registers', () => {
  test.each<[string, object]>([
    ['its thumbprint', { certificates: [{ thumbprint }] }],
    ['its SHA-1 thumbprint', { certificates: [{ thumbprint: sha1 }] }],
    ['its key', { certificates: [{ public_key_thumbprint: publicKey }] }],
    ['its subject', dn],
    ['its subject, with a pin', pinned(caA)],
    ['its DNS name', { tls_client_auth_san_dns: 'a.EXAMPLE' }],
    ['its URI', { tls_client_auth_san_uri: 'spiffe://a/b' }],
    ['its IP address', { tls_client_auth_san_ip: '10.0.0.1' }],
    ['its email address', { tls_client_auth_san_email: 'me@a.example' }],
    ['the same certificate, as a JWK', withJwk],
    [
      'other certificates, and its key',
      { certificates: [other, { pem: selfSigned().pem }, { public_key_thumbprint: publicKey }] },
    ],
  ])('%s is found', (_, fields) => {
    for (const one of [withCertificate, withJwk]) {
      expect(findShared(one, fields)).toBeDefined();
      expect(findShared(fields, one)).toEqual(findShared(one, fields));
    }
  });

  const renewed = selfSigned({ subject: [['CN', 'client']], keys: manyNamed.keys });
  test.each<[string, object]>([
    ['another certificate with its key', { certificates: [{ pem: renewed.pem }] }],
    ['another key', { certificates: [{ public_key_thumbprint: keyOf('another') }] }],
    ['another subject', { tls_client_auth_subject_dn: 'O=company' }],
    ['its key in another period', { certificates: [{ public_key_thumbprint: publicKey, not_before: '2027-02-01' }] }],
  ])('%s is undefined', (_, fields) => {
    const until = { certificates: [{ pem: manyNamed.pem, not_after: '2027-01-31' }] };
    expect(findShared(until, fields)).toBeUndefined();
    expect(findShared(fields, until)).toBeUndefined();
  });
});

describe('sharedIdentity is undefined for', () => {
  test.each<[string, object, object]>([
    ['other certificates', during(undefined, undefined), { certificates: [{ thumbprint: selfSigned().thumbprint }] }],
    ['other names', dn, { tls_client_auth_subject_dn: 'CN=client' }],
    ['the same value of two kinds', { tls_client_auth_san_dns: 'a' }, { tls_client_auth_subject_dn: 'CN=a' }],
    [
      'a thumbprint and a key of the same value',
      { certificates: [{ thumbprint: publicKey }] },
      { certificates: [{ public_key_thumbprint: publicKey }] },
    ],
    ['a registration that has ended', during(undefined, '2025-12-31'), during(undefined, undefined)],
    [
      'the same name, with pins to different roots',
      { ...dn, tls_client_auth_ca: [caA] },
      { ...dn, tls_client_auth_ca: [caB] },
    ],
    ['consecutive periods', during(undefined, '2027-01-31'), during('2027-02-01', undefined)],
  ])('%s', (_, one, other) => {
    expect(findShared(one, other)).toBeUndefined();
    expect(findShared(other, one)).toBeUndefined();
  });
});

test('sharedIdentity finds a name with pins to different CAs that are not known as roots', () => {
  expect(findShared(pinned(caA), pinned(caB), [])).toBeDefined();
});

test('isEffective includes the first and the last millisecond of a period', () => {
  const window = { notBefore: 10, notAfter: 20 };
  expect([9, 10, 20, 21].map((time) => isEffective(window, time))).toEqual([false, true, true, false]);
  expect(isEffective({ notAfter: undefined }, Number.MAX_SAFE_INTEGER)).toBe(true);
});
