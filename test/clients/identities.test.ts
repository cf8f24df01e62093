import { describe, expect, test } from 'vitest';
import { parseClientCertificate } from '../../src/certificate/client-certificate.ts';
import type { Client } from '../../src/clients/client.ts';
import {
  claimedByBoth,
  identitiesOf,
  identitiesOfCertificate,
  identityKey,
  isInForce,
} from '../../src/clients/identities.ts';
import { readClient } from '../../src/clients/read-client.ts';
import { selfSigned, thumbprintOf } from '../support/certificates.ts';
import { withSha1 } from '../support/policy.ts';

function client(fields: object): Client {
  const isNamed = Object.keys(fields).some((field) => field.startsWith('tls_client_auth'));
  const method = isNamed ? 'tls_client_auth' : 'self_signed_tls_client_auth';
  const read = readClient({ client_id: 'a', token_endpoint_auth_method: method, ...fields }, withSha1, 0);
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.client;
}

const certificate = selfSigned({
  subject: [
    ['O', 'company'],
    ['CN', 'client'],
  ],
  dns: ['A.example'],
  uris: ['spiffe://a/b'],
  ips: ['10.0.0.1'],
  emails: ['me@A.example'],
});
const parsed = parseClientCertificate(certificate.der);
const publicKey = thumbprintOf(certificate.keys.publicKey.export({ type: 'spki', format: 'der' }));
const sha1 = Buffer.from(parsed.sha1Thumbprint, 'base64url').toString('hex');
const dn = { tls_client_auth_subject_dn: 'CN=client,O=company' };

describe('what a client is registered by is among what its certificate is known by', () => {
  const keysOfCertificate = identitiesOfCertificate(parsed).map(identityKey);
  test.each<[string, object]>([
    ['a thumbprint', { certificates: [{ thumbprint: certificate.thumbprint }] }],
    ['one of SHA-1', { certificates: [{ thumbprint: sha1 }] }],
    ['the certificate', { certificates: [{ pem: certificate.pem }] }],
    ['its key', { certificates: [{ public_key_thumbprint: publicKey }] }],
    ['a subject, spelt another way', { tls_client_auth_subject_dn: 'cn=CLIENT, o=Company' }],
    ['a DNS name, in other case', { tls_client_auth_san_dns: 'a.EXAMPLE' }],
    ['a URI', { tls_client_auth_san_uri: 'spiffe://a/b' }],
    ['an address, spelt another way', { tls_client_auth_san_ip: '10.0.0.1' }],
    ['an email address', { tls_client_auth_san_email: 'me@a.example' }],
  ])('%s', (_, fields) => {
    const keys = identitiesOf(client(fields)).map(identityKey);
    expect(keys).toHaveLength(1);
    expect(keysOfCertificate).toEqual(expect.arrayContaining(keys));
  });

  test('and nothing else is', () => {
    expect(new Set(keysOfCertificate).size).toBe(8);
    for (const fields of [{ tls_client_auth_san_dns: 'b.example' }, { tls_client_auth_subject_dn: 'O=company' }]) {
      expect(keysOfCertificate).not.toContain(
        identityKey(identitiesOf(client(fields))[0] ?? { kind: 'dn', value: '' }),
      );
    }
  });
});

test('a key is safe in Redis, whatever the name holds', () => {
  const keys = identitiesOf(client({ tls_client_auth_san_uri: `spiffe://a/${'*?[x]{b}:'.repeat(100)}` }));
  expect(keys.map(identityKey).join()).toMatch(/^uri:[\w-]{43}$/);
});

test('a SHA-1 thumbprint is told from one of SHA-256', () => {
  const [identity] = identitiesOf(client({ certificates: [{ thumbprint: sha1 }] }));
  expect(identity && identityKey(identity)).toBe(`thumbprint:sha1:${parsed.sha1Thumbprint}`);
});

test('a certificate that is registered twice is one identity', () => {
  const twice = client({ certificates: [{ thumbprint: certificate.thumbprint }, { pem: certificate.pem }] });
  expect(identitiesOf(twice)).toHaveLength(1);
});

const keyOf = (name: string) => thumbprintOf(Buffer.from(name));
const [caA, caB, issuing] = [keyOf('A'), keyOf('B'), keyOf('issuing CA')];
const anchors = [caA, caB].map((publicKeyThumbprint) => ({ subjectText: 'CN=root', publicKeyThumbprint }));
const now = Date.parse('2026-01-01');
const claimed = (one: object, other: object, roots = anchors) =>
  claimedByBoth(client(one), client(other), { anchors: roots }, now);
const during = (not_before: string | undefined, not_after: string | undefined, more: object = {}) => ({
  certificates: [
    {
      thumbprint: certificate.thumbprint,
      ...(not_before !== undefined && { not_before }),
      ...(not_after !== undefined && { not_after }),
    },
  ],
  ...more,
});

const pinned = (...tls_client_auth_ca: string[]) => ({ ...dn, tls_client_auth_ca });
const other = { thumbprint: selfSigned().thumbprint };
const { thumbprint } = certificate;
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
  expect([9, 10, 20, 21].map((time) => isInForce(window, time))).toEqual([false, true, true, false]);
  expect(isInForce({ notAfter: undefined }, Number.MAX_SAFE_INTEGER)).toBe(true);
});
