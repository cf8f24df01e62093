import { describe, expect, test } from 'vitest';
import { parseClient } from '../../src/clients/parse-client.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { usualPolicy, withSha1 } from '../support/policy.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const policy = usualPolicy;
const own = selfSigned();
const other = selfSigned();
const hex = Buffer.from(own.thumbprint, 'base64url').toString('hex');
const x5c = [Buffer.from(own.der).toString('base64')];

const byName = {
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=a,O=b',
};
const byCertificate = {
  client_id: 'a',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint: own.thumbprint }],
};
const with_ = (base: object, more: object) => ({ ...base, ...more });
const without = ({ ...record }: Record<string, unknown>, field: string) => {
  delete record[field];
  return record;
};

describe('a record is accepted', () => {
  test.each([
    ['by name', byName],
    ['by certificate', byCertificate],
    ['by SAN dns', with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_dns: 'a.example' })],
    ['by SAN uri', with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_uri: 'spiffe://a/b' })],
    ['by SAN ip', with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_ip: '2001:DB8::0:1' })],
    [
      'by SAN email',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_email: 'a@b.example' }),
    ],
    ['by PEM', with_(byCertificate, { certificates: [{ pem: own.pem, note: 'x', not_after: '2027-01-31' }] })],
    ['by two certificates', with_(byCertificate, { certificates: [{ thumbprint: hex }, { pem: other.pem }] })],
    ['by x5c', with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ kty: 'EC', x5c }] } })],
    [
      'by x5t#S256',
      with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ 'x5t#S256': own.thumbprint }] } }),
    ],
    [
      'by both',
      with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ x5c, 'x5t#S256': own.thumbprint }] } }),
    ],
    [
      'a seed secret, name',
      { client_id: 'a', client_secrets: [{ type: 'X509Name', value: 'CN=client, OU=production, O=company' }] },
    ],
    ['a seed secret, thumbprint', { client_id: 'a', client_secrets: [{ type: 'X509Thumbprint', value: hex }] }],
    [
      'what RFC 7591 knows',
      with_(byName, {
        client_name: 'A',
        client_uri: 'https://a',
        contacts: ['x'],
        grant_types: ['client_credentials'],
      }),
    ],
    [
      'what we add',
      with_(byName, {
        scope: 'a b',
        audience: { a: 'https://a', b: ['x', 'y'] },
        access_token_lifetime: 60,
        access_token_scope_claim: 'array',
        claims: { tenant: { id: 1 } },
        enabled: false,
      }),
    ],
    ['bound tokens said aloud', with_(byName, { tls_client_certificate_bound_access_tokens: true })],
  ])('%s', (_, record) => {
    expect(parseClient(record, policy, now)).toMatchObject({ ok: true, warnings: [] });
  });
});

describe('a record that could not be written as it is is refused, also where it may hold anything', () => {
  const deep = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const inKey = (more: object) => ({ client_id: 'a', jwks: { keys: [{ x5c, ...more }] } });
  test.each<[string, unknown, string, string]>([
    ['claims deeper than a stack', with_(byName, { claims: { a: deep(20_000) } }), '(record)', 'nested too deeply'],
    ['a key deeper than a stack', inKey({ a: deep(20_000) }), '(record)', 'nested too deeply'],
    ['a key that holds itself', inKey(cyclic), '(record)', 'nested too deeply'],
    ['a number too large', with_(byName, JSON.parse('{"claims":{"x":[1e400]}}')), 'claims.x[0]', 'a number'],
    ['a number in a key', inKey(JSON.parse('{"a":1e400}')), 'jwks.keys[0].a', 'a number'],
    [
      '__proto__ as a claim',
      with_(byName, JSON.parse('{"claims":{"__proto__":1}}')),
      'claims.__proto__',
      'a reserved name',
    ],
    [
      '__proto__ as a scope',
      with_(byName, JSON.parse('{"audience":{"__proto__":"x"}}')),
      'audience.__proto__',
      'a reserved name',
    ],
    ['__proto__ as a field', JSON.parse('{"client_id":"a","__proto__":{}}'), '__proto__', 'a reserved name'],
  ])('%s', (_, value, field, message) => {
    const errors = [{ field, message: expect.stringContaining(message) }];
    expect(parseClient(value, policy, now)).toEqual({ ok: false, errors });
  });

  test('and 60 levels of claims are not', () => {
    expect(parseClient(with_(byName, { claims: { a: deep(60) } }), policy, now)).toMatchObject({ ok: true });
  });
});

describe('a record is refused, and the field is named', () => {
  test.each<[string, unknown, string, string]>([
    ['nothing', null, '(record)', ''],
    ['a list', [], '(record)', ''],
    ['no client_id', without(byName, 'client_id'), 'client_id', 'is missing'],
    ['a client_id with a line feed', with_(byName, { client_id: 'a\nb' }), 'client_id', 'printable'],
    ['a client_id that YAML read as a number', with_(byName, { client_id: 7 }), 'client_id', 'put it in quotes'],
    ['enabled as YAML 1.2 reads "no"', with_(byName, { enabled: 'no' }), 'enabled', 'true or false'],
    ['a lifetime as text', with_(byName, { access_token_lifetime: '60' }), 'access_token_lifetime', 'number'],
    ['an empty client_id', with_(byName, { client_id: '' }), 'client_id', '1 to 255'],
    ['no method', without(byName, 'token_endpoint_auth_method'), 'token_endpoint_auth_method', 'is missing'],
    [
      'an unknown method',
      with_(byName, { token_endpoint_auth_method: 'none' }),
      'token_endpoint_auth_method',
      'tls_client_auth',
    ],
    ['no subject', without(byName, 'tls_client_auth_subject_dn'), 'tls_client_auth_subject_dn', 'is missing'],
    ['two subjects', with_(byName, { tls_client_auth_san_dns: 'a' }), 'tls_client_auth_san_dns', 'exactly one'],
    ['an empty subject', with_(byName, { tls_client_auth_subject_dn: '' }), 'tls_client_auth_subject_dn', 'empty'],
    [
      'a subject that is none',
      with_(byName, { tls_client_auth_subject_dn: 'client' }),
      'tls_client_auth_subject_dn',
      '',
    ],
    [
      'a subject without direction',
      with_(byName, { tls_client_auth_subject_dn: 'OU=a, OU=b' }),
      'tls_client_auth_subject_dn',
      'RFC 4514',
    ],
    [
      'a wildcard',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_dns: '*.example' }),
      'tls_client_auth_san_dns',
      'DNS name',
    ],
    [
      'a URI without scheme',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_uri: 'a/b' }),
      'tls_client_auth_san_uri',
      'URI',
    ],
    [
      'an address that is none',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_ip: '1.2.3' }),
      'tls_client_auth_san_ip',
      'IP address',
    ],
    [
      'an address with a zone',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_ip: 'fe80::1%eth0' }),
      'tls_client_auth_san_ip',
      'IP address',
    ],
    [
      'an email that is none',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_email: 'a' }),
      'tls_client_auth_san_email',
      'address',
    ],
    [
      'a certificate beside a name',
      with_(byName, { certificates: [{ thumbprint: hex }] }),
      'certificates',
      'one method',
    ],
    [
      'a name beside a certificate',
      with_(byCertificate, { tls_client_auth_san_dns: 'a' }),
      'tls_client_auth_san_dns',
      'one method',
    ],
    ['no certificate', without(byCertificate, 'certificates'), 'certificates', 'is missing'],
    ['an empty list of certificates', with_(byCertificate, { certificates: [] }), 'certificates', ''],
    ['neither thumbprint nor PEM', with_(byCertificate, { certificates: [{}] }), 'certificates[0]', 'exactly one'],
    [
      'thumbprint and PEM',
      with_(byCertificate, { certificates: [{ thumbprint: hex, pem: own.pem }] }),
      'certificates[0]',
      'exactly one',
    ],
    [
      'a thumbprint that is none',
      with_(byCertificate, { certificates: [{ thumbprint: hex }, { thumbprint: 'x' }] }),
      'certificates[1].thumbprint',
      'SHA-256',
    ],
    [
      'SHA-1',
      with_(byCertificate, { certificates: [{ thumbprint: 'ab'.repeat(20) }] }),
      'certificates[0].thumbprint',
      'COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS',
    ],
    [
      'a chain as PEM',
      with_(byCertificate, { certificates: [{ pem: own.pem + other.pem }] }),
      'certificates[0].pem',
      'more than one',
    ],
    [
      'a CA as PEM',
      with_(byCertificate, { certificates: [{ pem: selfSigned({ ca: true }).pem }] }),
      'certificates[0].pem',
      'CA',
    ],
    [
      'a date that is none',
      with_(byCertificate, { certificates: [{ thumbprint: hex, not_after: 'soon' }] }),
      'certificates[0].not_after',
      '2027-01-31',
    ],
    [
      'a beginning that is none',
      with_(byCertificate, { certificates: [{ thumbprint: hex, not_before: '2027-02-30' }] }),
      'certificates[0].not_before',
      '2027-01-31',
    ],
    [
      'a beginning after the end',
      with_(byCertificate, { certificates: [{ thumbprint: hex, not_before: '2027-02-01', not_after: '2027-01-31' }] }),
      'certificates[0].not_before',
      'is after not_after',
    ],
    [
      'a key without certificate',
      with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ kty: 'EC' }] } }),
      'jwks.keys[0]',
      'x5c',
    ],
    [
      'x5c of another certificate',
      with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ x5c, 'x5t#S256': other.thumbprint }] } }),
      'jwks.keys[0]',
      'not the thumbprint',
    ],
    [
      'x5c that is not base64',
      with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ x5c: ['%%'] }] } }),
      'jwks.keys[0]',
      'base64',
    ],
    [
      'secrets of two methods',
      {
        client_id: 'a',
        client_secrets: [
          { type: 'X509Name', value: 'CN=a' },
          { type: 'X509Thumbprint', value: hex },
        ],
      },
      'client_secrets',
      'two clients',
    ],
    [
      'two names as secrets',
      {
        client_id: 'a',
        client_secrets: [
          { type: 'X509Name', value: 'CN=a' },
          { type: 'X509CertificateName', value: 'CN=b' },
        ],
      },
      'client_secrets[1].value',
      'exactly one',
    ],
    [
      'a shared secret',
      { client_id: 'a', client_secrets: [{ type: 'SharedSecret', value: 'x' }] },
      'client_secrets[0].type',
      '',
    ],
    ['a misspelt field', with_(byName, { scopes: 'a' }), 'scopes', 'not a field'],
    [
      'unbound tokens',
      with_(byName, { tls_client_certificate_bound_access_tokens: false }),
      'tls_client_certificate_bound_access_tokens',
      'must be true',
    ],
    ['another grant', with_(byName, { grant_types: ['password'] }), 'grant_types[0]', 'client_credentials'],
    ['two spaces in the scope', with_(byName, { scope: 'a  b' }), 'scope', 'one space'],
    ['a quotation mark in the scope', with_(byName, { scope: 'a"' }), 'scope', 'not a scope'],
    [
      'a scope of 257 characters',
      with_(byName, { scope: 'a'.repeat(257) }),
      'scope',
      'a scope of 257 characters; expected at most 256',
    ],
    [
      'an audience of a scope it does not have',
      with_(byName, { scope: 'a', audience: { b: 'x' } }),
      'audience.b',
      'not a scope',
    ],
    ['a lifetime of nothing', with_(byName, { access_token_lifetime: 0 }), 'access_token_lifetime', 'at least 10'],
    ['a lifetime of a year', with_(byName, { access_token_lifetime: 31_536_000 }), 'access_token_lifetime', 'at most'],
    ['a claim of ours', with_(byName, { claims: { sub: 'admin' } }), 'claims.sub', 'server sets'],
    ['the confirmation', with_(byName, { claims: { cnf: {} } }), 'claims.cnf', 'server sets'],
  ])('%s', (_, record, field, message) => {
    const read = parseClient(record, policy, now);
    expect(read.ok).toBe(false);
    if (read.ok) return;
    expect(read.errors.map((error) => error.field)).toContain(field);
    expect(read.errors.find((error) => error.field === field)?.message).toContain(message);
  });

  test('with every error at once', () => {
    const read = parseClient({ ...byName, scope: 'a  b', access_token_lifetime: 1, claims: { iss: 1 } }, policy, now);
    expect(read.ok ? [] : read.errors.map(({ field }) => field).sort()).toEqual([
      'access_token_lifetime',
      'claims.iss',
      'scope',
    ]);
  });
});

test('SHA-1 is a warning where it is allowed', () => {
  const record = { ...byCertificate, certificates: [{ thumbprint: 'bca0d040847f843c5ee0fa6eb494837470155868' }] };
  const read = parseClient(record, withSha1, now);
  expect(read).toMatchObject({ ok: true, warnings: [{ field: 'certificates[0].thumbprint' }] });
});

test('a registration that has ended is a warning', () => {
  const record = { ...byCertificate, certificates: [{ thumbprint: hex, not_after: '2026-11-21' }] };
  expect(parseClient(record, policy, now)).toMatchObject({
    ok: true,
    warnings: [{ message: expect.stringContaining('ended') }],
  });
  const today = { ...byCertificate, certificates: [{ thumbprint: hex, not_after: '2026-11-22' }] };
  expect(parseClient(today, policy, now)).toMatchObject({ ok: true, warnings: [] });
});

test('a day begins with its first millisecond and ends with its last, UTC; a beginning to come is no warning', () => {
  const certificates = [{ thumbprint: hex, not_before: '2027-01-31', not_after: '2027-01-31' }];
  const [notBefore, notAfter] = ['2027-01-31T00:00:00.000Z', '2027-01-31T23:59:59.999Z'].map(Date.parse);
  expect(parseClient({ ...byCertificate, certificates }, policy, now)).toMatchObject({
    ok: true,
    warnings: [],
    client: { authentication: { certificates: [{ notBefore, notAfter }] } },
  });
});

test('a certificate of a CA registers as well as a self-signed one', () => {
  const { pem } = createTestCa().issue();
  expect(parseClient({ ...byCertificate, certificates: [{ pem }] }, policy, now).ok).toBe(true);
});
