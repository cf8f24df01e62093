import { describe, expect, test } from 'vitest';
import { isEffective } from '../../../src/clients/identities.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { selfSigned, thumbprintOf } from '../../support/certificates.ts';
import { manyNamed, registeredClient } from '../../support/registered-client.ts';
import { sharedAmong } from '../../support/shared-identities.ts';

const parsed = parseClientCertificate(manyNamed.der);
const publicKey = thumbprintOf(manyNamed.keys.publicKey.export({ type: 'spki', format: 'der' }));
const sha1 = Buffer.from(parsed.otherThumbprints.sha1, 'base64url').toString('hex');
const dn = { tls_client_auth_subject_dn: 'CN=client,O=company' };

const keyOf = (name: string) => thumbprintOf(Buffer.from(name));
const [caA, caB, issuing] = [keyOf('A'), keyOf('B'), keyOf('issuing CA')];
const anchors = [caA, caB].map((publicKeyThumbprint) => ({ subjectText: 'CN=root', publicKeyThumbprint }));
const now = Date.parse('2026-01-01');
const clientsOf = (records: readonly object[]) =>
  records.map((record, index) => registeredClient({ client_id: String.fromCharCode(97 + index), ...record }));
const allShared = (records: readonly object[], roots = anchors) =>
  sharedAmong(clientsOf(records), { policy: { anchors: roots }, now });
/** What two clients share, apart from their order. */
const findShared = async (one: object, other: object, roots = anchors) => {
  const [shared] = await allShared([one, other], roots);
  return shared?.identity;
};
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

const secrets = (...client_secrets: object[]) => ({ client_secrets });
const nameSecret = (value: string) => ({ type: 'X509Name', value });

const pinned = (...tls_client_auth_ca: string[]) => ({ ...dn, tls_client_auth_ca });
const other = { thumbprint: selfSigned().thumbprint };
const { thumbprint } = manyNamed;
const earlier = { thumbprint, not_before: '2028-01-01', not_after: '2028-02-01' };
const later = { thumbprint, not_before: '2029-01-01', not_after: '2029-02-01' };

describe('two clients share an identity that register', () => {
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
    [
      'a name in a secret and in a field, in other case',
      secrets(nameSecret('CN=Client')),
      { tls_client_auth_subject_dn: 'CN=client' },
    ],
    [
      'names of secrets with one RDN in other order',
      secrets(nameSecret('CN=a + O=b')),
      secrets(nameSecret('O=b + CN=a')),
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
  ])('%s', async (_, one, other) => {
    expect(await findShared(one, other)).toBeDefined();
    expect(await findShared(other, one)).toBeDefined();
  });
});

const renewed = selfSigned({ subject: [['CN', 'client']], keys: manyNamed.keys });
const withCertificate = { certificates: [{ pem: manyNamed.pem }] };
const withJwk = { jwks: { keys: [{ x5c: [Buffer.from(manyNamed.der).toString('base64')] }] } };

describe('a client that registers a certificate, and a client that registers', () => {
  test.each<[string, object]>([
    ['its thumbprint', { certificates: [{ thumbprint }] }],
    ['its SHA-1 thumbprint', { certificates: [{ thumbprint: sha1 }] }],
    ['its key', { certificates: [{ public_key_thumbprint: publicKey }] }],
    ['its subject', dn],
    ['its subject, with a pin', pinned(caA)],
    ['its subject in other case, where case does not matter', { tls_client_auth_subject_dn: 'CN=Client,O=company' }],
    ['its subject, in a secret', secrets(nameSecret('CN=client, O=company'))],
    ['its DNS name', { tls_client_auth_san_dns: 'a.EXAMPLE' }],
    ['its URI', { tls_client_auth_san_uri: 'spiffe://a/b' }],
    ['its IP address', { tls_client_auth_san_ip: '10.0.0.1' }],
    ['its email address', { tls_client_auth_san_email: 'me@a.example' }],
    ['the same certificate, as a JWK', withJwk],
    [
      'other certificates, and its key',
      { certificates: [other, { pem: selfSigned().pem }, { public_key_thumbprint: publicKey }] },
    ],
  ])('%s share an identity', async (_, fields) => {
    for (const one of [withCertificate, withJwk]) {
      expect(await findShared(one, fields)).toBeDefined();
      expect(await findShared(fields, one)).toEqual(await findShared(one, fields));
    }
  });

  test.each<[string, object]>([
    ['another certificate with its key', { certificates: [{ pem: renewed.pem }] }],
    ['another key', { certificates: [{ public_key_thumbprint: keyOf('another') }] }],
    ['another subject', { tls_client_auth_subject_dn: 'O=company' }],
    ['its subject in other case, in a secret, which it does not match', secrets(nameSecret('CN=Client, O=company'))],
    ['its key in another period', { certificates: [{ public_key_thumbprint: publicKey, not_before: '2027-02-01' }] }],
  ])('%s share none', async (_, fields) => {
    const until = { certificates: [{ pem: manyNamed.pem, not_after: '2027-01-31' }] };
    expect(await findShared(until, fields)).toBeUndefined();
    expect(await findShared(fields, until)).toBeUndefined();
  });
});

describe('two clients share no identity that register', () => {
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
    ['names of secrets that differ in case', secrets(nameSecret('CN=client')), secrets(nameSecret('CN=Client'))],
  ])('%s', async (_, one, other) => {
    expect(await findShared(one, other)).toBeUndefined();
    expect(await findShared(other, one)).toBeUndefined();
  });
});

test('two clients share a name with pins to different CAs that are not known as roots', async () => {
  expect(await findShared(pinned(caA), pinned(caB), [])).toBeDefined();
});

/** The clients of each shared identity. */
const groupsOf = async (records: readonly object[]) =>
  (await allShared(records)).map(({ clients }) => clients.map(({ clientId }) => clientId).join(''));
const thumbprintSecret = (value: string) => ({ type: 'X509Thumbprint', value });
const spiffe = (path: string, ca = caA) => ({
  tls_client_auth_spiffe_id: `spiffe://td/${path}`,
  tls_client_auth_ca: [ca],
});

describe('a shared identity is found once, with all clients that share it:', () => {
  test.each<[string, readonly object[], readonly string[]]>([
    [
      'a certificate of three',
      [during(undefined, undefined), dn, during(undefined, undefined), during(undefined, undefined)],
      ['acd'],
    ],
    ['a certificate, and a name in it', [withCertificate, dn, withCertificate], ['ac', 'abc']],
    [
      'two certificates of two',
      [{ certificates: [other, { thumbprint }] }, { certificates: [{ thumbprint }, other] }],
      ['ab', 'ab'],
    ],
    [
      'consecutive periods, and one over both',
      [during(undefined, '2027-01-31'), during('2027-02-01', undefined), during(undefined, undefined)],
      ['abc'],
    ],
    [
      'periods that a third connects, and one that overlaps only the second',
      [
        during(undefined, '2027-01-31'),
        during('2027-02-15', '2027-03-31'),
        during('2027-01-15', '2027-02-28'),
        during('2027-03-15', undefined),
      ],
      ['abcd'],
    ],
    [
      'a key, with a certificate in its period, but not with one after it that has the same key',
      [
        { certificates: [{ public_key_thumbprint: publicKey, not_after: '2027-01-31' }] },
        { certificates: [{ pem: manyNamed.pem }] },
        { certificates: [{ pem: renewed.pem, not_before: '2027-02-01' }] },
      ],
      ['ab'],
    ],
    ['pins to different roots', [pinned(caA), pinned(caB), pinned(caA), pinned(caB)], ['ac', 'bd']],
    ['pins to different roots, and none', [pinned(caA), pinned(caB), dn], ['abc']],
    [
      'secrets of both kinds',
      [secrets(nameSecret('CN=client, O=company'), thumbprintSecret(thumbprint)), dn, during(undefined, undefined)],
      ['ac', 'ab'],
    ],
    [
      'a pinned name and an unpinned certificate',
      [
        { ...secrets(nameSecret('CN=x'), thumbprintSecret(thumbprint)), tls_client_auth_ca: [caA] },
        { ...secrets(nameSecret('CN=x'), thumbprintSecret(thumbprint)), tls_client_auth_ca: [caB] },
      ],
      ['ab'],
    ],
    ['the same secret twice in one client', [secrets(thumbprintSecret(thumbprint), thumbprintSecret(thumbprint))], []],
    ['a SPIFFE ID of three', [spiffe('x'), spiffe('x'), spiffe('x')], ['abc']],
    ['a pattern of two, and one that overlaps', [spiffe('*/y'), spiffe('*/y'), spiffe('x/*')], ['ab', 'abc']],
    ['three patterns that overlap in one ID', [spiffe('*/y/z'), spiffe('x/*/z'), spiffe('x/y/*')], ['abc']],
    ['overlapping patterns, pinned to different roots', [spiffe('*/y'), spiffe('x/*', caB)], []],
    ['a SPIFFE ID and a pattern, which it precedes', [spiffe('x/y'), spiffe('x/*')], []],
  ])('%s', async (_, records, groups) => {
    expect((await groupsOf(records)).toSorted()).toEqual(groups.toSorted());
  });
});

test('thousands of clients of one certificate are not compared with each other', async () => {
  const [client] = clientsOf([during(undefined, undefined)]);
  if (!client) throw new Error('a client is expected');
  const clients = Array.from({ length: 20_000 }, (_, index) => ({ ...client, clientId: `${index}` }));
  const [shared, ...others] = await sharedAmong(clients, { policy: { anchors }, now });
  expect([shared?.clients.length, others]).toEqual([20_000, []]);
});

test('isEffective includes the first and the last millisecond of a period', () => {
  const window = { notBefore: 10, notAfter: 20 };
  expect([9, 10, 20, 21].map((time) => isEffective(window, time))).toEqual([false, true, true, false]);
  expect(isEffective({ notAfter: undefined }, Number.MAX_SAFE_INTEGER)).toBe(true);
});
