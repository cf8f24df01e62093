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
const claimed = (one: object, other: object, roots = anchors) =>
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

describe('a certificate is claimed by both', () => {
  test.each<[string, object, object]>([
    ['one thumbprint', during(undefined, undefined), during(undefined, undefined)],
    [
      'one key',
      { certificates: [{ public_key_thumbprint: publicKey }] },
      { certificates: [{ public_key_thumbprint: publicKey }] },
    ],
    ['one name', dn, { tls_client_auth_subject_dn: 'cn=client, o=company' }],
    ['one name, one of them pinned', dn, { ...dn, tls_client_auth_ca: [caA] }],
    ['one name, a CA in common', { ...dn, tls_client_auth_ca: [caA, caB] }, { ...dn, tls_client_auth_ca: [caB] }],
    ['one name, pinned to a root and to what it issued', pinned(caA), pinned(issuing)],
    ['one name, pinned to what could be of one chain', pinned(keyOf('C')), pinned(issuing)],
    ['one name, one of the pins no root', pinned(caA), pinned(caB, issuing)],
    [
      'only the last registration of each',
      { certificates: [other, later] },
      { certificates: [{ thumbprint: selfSigned().thumbprint }, earlier, later] },
    ],
    [
      'only the last window of one certificate',
      { certificates: [earlier, later] },
      { certificates: [{ ...later, not_after: '2029-02-02' }] },
    ],
    [
      'only the first window of one certificate',
      { certificates: [earlier] },
      { certificates: [{ ...earlier, not_after: '2028-01-01' }, later] },
    ],
    ['until now', during(undefined, '2026-01-01T00:00:00Z'), during(undefined, undefined)],
    ['on one day', during(undefined, '2027-01-31'), during('2027-01-31', undefined)],
    ['in the last millisecond', during(undefined, '2027-01-31T00:00:00Z'), during('2027-01-31', '2027-02-01')],
    ['one within the other', during('2027-01-02', '2027-01-03'), during('2027-01-01', undefined)],
  ])('%s', (_, one, other) => {
    expect(claimed(one, other)).toBeDefined();
    expect(claimed(other, one)).toBeDefined();
  });
});

const held = { certificates: [{ pem: manyNamed.pem }] };
const asKey = { jwks: { keys: [{ x5c: [Buffer.from(manyNamed.der).toString('base64')] }] } };

describe('a certificate that one client holds is claimed by whoever is registered by what it is known by', () => {
  test.each<[string, object]>([
    ['its thumbprint', { certificates: [{ thumbprint }] }],
    ['its SHA-1 thumbprint', { certificates: [{ thumbprint: sha1 }] }],
    ['its key', { certificates: [{ public_key_thumbprint: publicKey }] }],
    ['its subject', dn],
    ['its subject, vouched for by one CA', pinned(caA)],
    ['its DNS name', { tls_client_auth_san_dns: 'a.EXAMPLE' }],
    ['its URI', { tls_client_auth_san_uri: 'spiffe://a/b' }],
    ['its address', { tls_client_auth_san_ip: '10.0.0.1' }],
    ['its email address', { tls_client_auth_san_email: 'me@a.example' }],
    ['the same certificate, as a JWK', asKey],
    ['others, and its key', { certificates: [other, { pem: selfSigned().pem }, { public_key_thumbprint: publicKey }] }],
  ])('%s', (_, fields) => {
    for (const one of [held, asKey]) {
      expect(claimed(one, fields)).toBeDefined();
      expect(claimed(fields, one)).toEqual(claimed(one, fields));
    }
  });

  const renewed = selfSigned({ subject: [['CN', 'client']], keys: manyNamed.keys });
  test.each<[string, object]>([
    ['another certificate over its key', { certificates: [{ pem: renewed.pem }] }],
    ['another key', { certificates: [{ public_key_thumbprint: keyOf('another') }] }],
    ['another subject', { tls_client_auth_subject_dn: 'O=company' }],
    [
      'its key, but not at the same time',
      { certificates: [{ public_key_thumbprint: publicKey, not_before: '2027-02-01' }] },
    ],
  ])('but not by %s', (_, fields) => {
    const until = { certificates: [{ pem: manyNamed.pem, not_after: '2027-01-31' }] };
    expect(claimed(until, fields)).toBeUndefined();
    expect(claimed(fields, until)).toBeUndefined();
  });
});

describe('a certificate is claimed by one at most', () => {
  test.each<[string, object, object]>([
    ['other certificates', during(undefined, undefined), { certificates: [{ thumbprint: selfSigned().thumbprint }] }],
    ['other names', dn, { tls_client_auth_subject_dn: 'CN=client' }],
    ['one value of two kinds', { tls_client_auth_san_dns: 'a' }, { tls_client_auth_subject_dn: 'CN=a' }],
    [
      'a thumbprint and a key of one value',
      { certificates: [{ thumbprint: publicKey }] },
      { certificates: [{ public_key_thumbprint: publicKey }] },
    ],
    ['one that has ended', during(undefined, '2025-12-31'), during(undefined, undefined)],
    ['one name of different roots', { ...dn, tls_client_auth_ca: [caA] }, { ...dn, tls_client_auth_ca: [caB] }],
    ['one after the other', during(undefined, '2027-01-31'), during('2027-02-01', undefined)],
  ])('%s', (_, one, other) => {
    expect(claimed(one, other)).toBeUndefined();
    expect(claimed(other, one)).toBeUndefined();
  });
});

test('one name of different CAs is claimed by both where it is not known that they are roots', () => {
  expect(claimed(pinned(caA), pinned(caB), [])).toBeDefined();
});

test('a registration counts in the first and the last millisecond of its time, and not beyond', () => {
  const window = { notBefore: 10, notAfter: 20 };
  expect([9, 10, 20, 21].map((time) => isEffective(window, time))).toEqual([false, true, true, false]);
  expect(isEffective({ notAfter: undefined }, Number.MAX_SAFE_INTEGER)).toBe(true);
});
