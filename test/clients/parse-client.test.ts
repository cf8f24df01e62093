import { describe, expect, test } from 'vitest';
import { parseClient } from '../../src/clients/parse-client.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { defaultPolicy, withSha1 } from '../support/policy.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const policy = defaultPolicy;
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

describe('parseClient', () => {
  test.each([
    ['by name', byName],
    ['by certificate', byCertificate],
    ['by DNS name', with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_dns: 'a.example' })],
    ['by URI', with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_uri: 'spiffe://a/b' })],
    [
      'by IP address',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_ip: '2001:DB8::0:1' }),
    ],
    [
      'by email address',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_email: 'a@b.example' }),
    ],
    [
      'with values of any length that only operators write',
      {
        ...byCertificate,
        ...{ client_name: 'x'.repeat(5000), client_uri: 'x'.repeat(5000), contacts: ['x'.repeat(5000)] },
        scope: Array.from({ length: 20_000 }, (_, index) => `scope-${index}`).join(' '),
        certificates: [{ thumbprint: hex, note: 'x'.repeat(5000) }],
      },
    ],
    [
      'by a long URI',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_uri: `urn:${'x'.repeat(10_000)}` }),
    ],
    [
      'by a long subject DN',
      with_(byName, {
        tls_client_auth_subject_dn: `${Array.from({ length: 60 }, () => `OU=${'x'.repeat(900)}`).join(',')},CN=a`,
      }),
    ],
    ['with many pins', with_(byName, { tls_client_auth_ca: Array.from({ length: 100 }, () => own.thumbprint) })],
    ['by PEM', with_(byCertificate, { certificates: [{ pem: own.pem, note: 'x', not_after: '2027-01-31' }] })],
    ['by two certificates', with_(byCertificate, { certificates: [{ thumbprint: hex }, { pem: other.pem }] })],
    ['by x5c', with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ kty: 'EC', x5c }] } })],
    [
      'by x5t#S256',
      with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ 'x5t#S256': own.thumbprint }] } }),
    ],
    [
      'by x5c and x5t#S256',
      with_(without(byCertificate, 'certificates'), { jwks: { keys: [{ x5c, 'x5t#S256': own.thumbprint }] } }),
    ],
    [
      'by the name in an IdentityServer secret',
      { client_id: 'a', client_secrets: [{ type: 'X509Name', value: 'CN=client, OU=production, O=company' }] },
    ],
    [
      'by the thumbprint in an IdentityServer secret',
      { client_id: 'a', client_secrets: [{ type: 'X509Thumbprint', value: hex }] },
    ],
    [
      'with all fields of RFC 7591',
      with_(byName, {
        client_name: 'A',
        client_uri: 'https://a',
        contacts: ['x'],
        grant_types: ['client_credentials'],
      }),
    ],
    [
      'with all extension fields',
      with_(byName, {
        scope: 'a b',
        audience: { a: 'https://a', b: ['x', 'y'] },
        access_token_lifetime: 60,
        access_token_scope_claim: 'array',
        claims: { tenant: { id: 1 } },
        enabled: false,
      }),
    ],
    ['of the edge only', with_(byName, { grant_types: [] })],
    ['with explicitly bound tokens', with_(byName, { tls_client_certificate_bound_access_tokens: true })],
  ])('accepts a client %s', (_, record) => {
    expect(parseClient(record, policy, now)).toMatchObject({ ok: true, warnings: [] });
  });
});

test.each<[string, object, boolean]>([
  ['is that of the record', { tls_client_auth_spiffe_id: 'spiffe://a/b', tls_client_auth_ca: [own.thumbprint] }, false],
  ['is the URI of the record', { tls_client_auth_san_uri: 'spiffe://a/b' }, false],
  ['is not that of the record', { tls_client_auth_san_uri: 'spiffe://a/c' }, true],
  ['is not in the record', { tls_client_auth_subject_dn: 'CN=a' }, true],
])('parseClient warns about a SPIFFE ID as client_id only if it is foreign: it %s', (_, fields, isExpected) => {
  const record = with_(without(byName, 'tls_client_auth_subject_dn'), { client_id: 'spiffe://a/b', ...fields });
  const warnings = isExpected ? [{ field: 'client_id', message: expect.stringContaining('is a SPIFFE ID') }] : [];
  expect(parseClient(record, policy, now)).toMatchObject({ ok: true, warnings });
});

test('the placeholder of `countersign certificate` as a client_id is reported', () => {
  const parsed = parseClient({ ...byCertificate, client_id: 'CHOOSE-ONE' }, defaultPolicy, 0);
  expect(parsed).toMatchObject({
    ok: true,
    warnings: [{ field: 'client_id', message: expect.stringContaining('choose') }],
  });
});

describe('parseClient rejects what JSON or JavaScript would change:', () => {
  const deep = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const inKey = (more: object) => ({ client_id: 'a', jwks: { keys: [{ x5c, ...more }] } });
  test.each<[string, unknown, string, string]>([
    ['claims deeper than the stack', with_(byName, { claims: { a: deep(20_000) } }), '(record)', 'nested too deeply'],
    ['a JWK deeper than the stack', inKey({ a: deep(20_000) }), '(record)', 'nested too deeply'],
    ['a cyclic JWK', inKey(cyclic), '(record)', 'nested too deeply'],
    ['a number that is too large', with_(byName, JSON.parse('{"claims":{"x":[1e400]}}')), 'claims.x[0]', 'a number'],
    ['a number in a JWK', inKey(JSON.parse('{"a":1e400}')), 'jwks.keys[0].a', 'a number'],
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

  test('but accepts 60 levels of claims', () => {
    expect(parseClient(with_(byName, { claims: { a: deep(60) } }), policy, now)).toMatchObject({ ok: true });
  });
});

describe('parseClient names the field of a record with', () => {
  test.each<[string, unknown, string, string]>([
    ['the value null', null, '(record)', ''],
    ['the value []', [], '(record)', ''],
    ['no client_id', without(byName, 'client_id'), 'client_id', 'is missing'],
    ['a client_id with a line feed', with_(byName, { client_id: 'a\nb' }), 'client_id', 'printable'],
    ['a client_id that YAML parsed as a number', with_(byName, { client_id: 7 }), 'client_id', 'put it in quotes'],
    [
      'a rate without a period',
      with_(byName, { token_rate: 2 }),
      'token_rate',
      'expected a number of tokens and a period',
    ],
    ['enabled as YAML 1.2 parses "no"', with_(byName, { enabled: 'no' }), 'enabled', 'true or false'],
    ['a lifetime as a string', with_(byName, { access_token_lifetime: '60' }), 'access_token_lifetime', 'number'],
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
    ['an invalid subject', with_(byName, { tls_client_auth_subject_dn: 'client' }), 'tls_client_auth_subject_dn', ''],
    [
      'a subject of ambiguous direction',
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
      'an invalid IP address',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_ip: '1.2.3' }),
      'tls_client_auth_san_ip',
      'IP address',
    ],
    [
      'an IP address with a zone',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_ip: 'fe80::1%eth0' }),
      'tls_client_auth_san_ip',
      'IP address',
    ],
    [
      'an invalid email address',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_email: 'a' }),
      'tls_client_auth_san_email',
      'address',
    ],
    [
      'a certificate next to a name',
      with_(byName, { certificates: [{ thumbprint: hex }] }),
      'certificates',
      'one method',
    ],
    [
      'a name next to a certificate',
      with_(byCertificate, { tls_client_auth_san_dns: 'a' }),
      'tls_client_auth_san_dns',
      'one method',
    ],
    [
      'a DNS name of 254 characters',
      with_(without(byName, 'tls_client_auth_subject_dn'), { tls_client_auth_san_dns: 'a'.repeat(254) }),
      'tls_client_auth_san_dns',
      'must be at most 253 characters long (RFC 1035 §2.3.4)',
    ],
    ['an audience of 1025 characters', with_(byName, { audience: 'x'.repeat(1025) }), 'audience', ''],
    ['no pin', with_(byName, { tls_client_auth_ca: [] }), 'tls_client_auth_ca', 'must not be empty'],
    ['no audience', with_(byName, { audience: [] }), 'audience', 'must not be empty'],
    [
      'an unknown type of the scope claim',
      with_(byName, { access_token_scope_claim: 'list' }),
      'access_token_scope_claim',
      'expected string or array',
    ],
    [
      'an unknown type of a secret',
      { client_id: 'a', client_secrets: [{ type: 'SharedSecret', value: 'x' }] },
      'client_secrets[0].type',
      'expected X509Name, X509CertificateName',
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
      'an invalid thumbprint',
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
      'an invalid date',
      with_(byCertificate, { certificates: [{ thumbprint: hex, not_after: 'soon' }] }),
      'certificates[0].not_after',
      '2027-01-31',
    ],
    [
      'an invalid not_before',
      with_(byCertificate, { certificates: [{ thumbprint: hex, not_before: '2027-02-30' }] }),
      'certificates[0].not_before',
      '2027-01-31',
    ],
    [
      'not_before after not_after',
      with_(byCertificate, { certificates: [{ thumbprint: hex, not_before: '2027-02-01', not_after: '2027-01-31' }] }),
      'certificates[0].not_before',
      'is after not_after',
    ],
    [
      'a JWK without a certificate',
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
      'secrets of two methods, and one of them',
      {
        client_id: 'a',
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        client_secrets: [
          { type: 'X509Name', value: 'CN=a' },
          { type: 'X509Thumbprint', value: hex },
        ],
      },
      'client_secrets[0].type',
      'remove token_endpoint_auth_method',
    ],
    [
      'a name next to a secret with a name',
      {
        client_id: 'a',
        tls_client_auth_subject_dn: 'CN=a',
        client_secrets: [
          { type: 'X509CertificateName', value: 'CN=b' },
          { type: 'X509Thumbprint', value: hex },
        ],
      },
      'client_secrets[0].value',
      'exactly one',
    ],
    [
      'a shared secret',
      { client_id: 'a', client_secrets: [{ type: 'SharedSecret', value: 'x' }] },
      'client_secrets[0].type',
      '',
    ],
    ['a misspelled field', with_(byName, { scopes: 'a' }), 'scopes', 'unknown field "scopes" (did you mean "scope"?)'],
    [
      'unbound tokens',
      with_(byName, { tls_client_certificate_bound_access_tokens: false }),
      'tls_client_certificate_bound_access_tokens',
      'must be true',
    ],
    ['an unsupported grant', with_(byName, { grant_types: ['password'] }), 'grant_types[0]', 'client_credentials'],
    ['two spaces in the scope', with_(byName, { scope: 'a  b' }), 'scope', 'one space'],
    ['a quotation mark in the scope', with_(byName, { scope: 'a"' }), 'scope', 'not a scope'],
    [
      'a scope of 257 characters',
      with_(byName, { scope: 'a'.repeat(257) }),
      'scope',
      'a scope of 257 characters; expected at most 256',
    ],
    [
      'an audience for a scope that it does not have',
      with_(byName, { scope: 'a', audience: { b: 'x' } }),
      'audience.b',
      'not a scope',
    ],
    ['a lifetime of zero', with_(byName, { access_token_lifetime: 0 }), 'access_token_lifetime', 'at least 10'],
    ['a lifetime of a year', with_(byName, { access_token_lifetime: 31_536_000 }), 'access_token_lifetime', 'at most'],
    ['the claim sub', with_(byName, { claims: { sub: 'admin' } }), 'claims.sub', 'server sets'],
    ['the claim cnf', with_(byName, { claims: { cnf: {} } }), 'claims.cnf', 'server sets'],
  ])('%s', (_, record, field, message) => {
    const read = parseClient(record, policy, now);
    expect(read.ok).toBe(false);
    if (read.ok) return;
    expect(read.errors.map((error) => error.field)).toContain(field);
    expect(read.errors.find((error) => error.field === field)?.message).toContain(message);
  });

  test('all errors at once', () => {
    const read = parseClient({ ...byName, scope: 'a  b', access_token_lifetime: 1, claims: { iss: 1 } }, policy, now);
    expect(read.ok ? [] : read.errors.map(({ field }) => field).sort()).toEqual([
      'access_token_lifetime',
      'claims.iss',
      'scope',
    ]);
  });
});

test('a SHA-1 thumbprint causes a warning if the policy allows it', () => {
  const record = { ...byCertificate, certificates: [{ thumbprint: 'bca0d040847f843c5ee0fa6eb494837470155868' }] };
  const read = parseClient(record, withSha1, now);
  expect(read).toMatchObject({ ok: true, warnings: [{ field: 'certificates[0].thumbprint' }] });
});

test('a registration that has ended causes a warning', () => {
  const record = { ...byCertificate, certificates: [{ thumbprint: hex, not_after: '2026-11-21' }] };
  expect(parseClient(record, policy, now)).toMatchObject({
    ok: true,
    warnings: [{ message: expect.stringContaining('ended') }],
  });
  const today = { ...byCertificate, certificates: [{ thumbprint: hex, not_after: '2026-11-22' }] };
  expect(parseClient(today, policy, now)).toMatchObject({ ok: true, warnings: [] });
});

test('a day starts with its first millisecond and ends with its last, UTC, and a future not_before causes no warning', () => {
  const certificates = [{ thumbprint: hex, not_before: '2027-01-31', not_after: '2027-01-31' }];
  const [notBefore, notAfter] = ['2027-01-31T00:00:00.000Z', '2027-01-31T23:59:59.999Z'].map(Date.parse);
  expect(parseClient({ ...byCertificate, certificates }, policy, now)).toMatchObject({
    ok: true,
    warnings: [],
    client: { registrations: [{ notBefore, notAfter }] },
  });
});

test('a certificate that a CA issued can be registered like a self-signed one', () => {
  const { pem } = createTestCa().issue();
  expect(parseClient({ ...byCertificate, certificates: [{ pem }] }, policy, now).ok).toBe(true);
});
