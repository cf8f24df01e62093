import { describe, expect, test } from 'vitest';
import { parseClient } from '../../src/clients/parse-client.ts';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { createTestCa } from '../support/certificates.ts';
import { defaultPolicy } from '../support/policy.ts';

const caPins = ['Root A', 'Root B'].map((name) => createTestCa({ subject: [['CN', name]] }));
const [one, other] = caPins.map(({ der }) => parseCaCertificate(der));
if (!one || !other) throw new Error('two CAs are expected');
const record = { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a' };
const hex = Buffer.from(one.publicKeyThumbprint, 'base64url').toString('hex');
const parse = (fields: object, policy: object) =>
  parseClient({ ...record, ...fields }, { ...defaultPolicy, ...policy }, 0);

describe('tls_client_auth_ca', () => {
  test.each([one.publicKeyThumbprint, hex, hex.toUpperCase().replace(/..(?!$)/g, '$&:')])(
    'accepts the thumbprint %s',
    (text) => {
      expect(parse({ tls_client_auth_ca: [text] }, {})).toMatchObject({
        ok: true,
        client: { registrations: [{ caPins: [one.publicKeyThumbprint] }] },
      });
    },
  );

  test.each<[string, object]>([
    ['a name', { tls_client_auth_ca: ['CN=Root A'] }],
    ['SHA-1', { tls_client_auth_ca: ['bca0d040847f843c5ee0fa6eb494837470155868'] }],
    ['a value that is not a list', { tls_client_auth_ca: 7 }],
    ['an empty list', { tls_client_auth_ca: [] }],
  ])('rejects %s', (_, fields) => {
    expect(parse(fields, {})).toMatchObject({
      ok: false,
      errors: [{ field: expect.stringMatching(/^tls_client_auth_ca/) }],
    });
  });

  test('is rejected for a client of self_signed_tls_client_auth', () => {
    const own = { token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates: [{ thumbprint: hex }] };
    const fields = { ...own, tls_client_auth_subject_dn: undefined, tls_client_auth_ca: [hex] };
    expect(parse(fields, {})).toMatchObject({ ok: false, errors: [{ field: 'tls_client_auth_ca' }] });
  });
});

describe('a pin to a CA that is not configured', () => {
  const pinned = { tls_client_auth_ca: [hex] };

  test('causes a warning with the configured CAs', () => {
    const message = expect.stringMatching(/is not the key of a CA in COUNTERSIGN_CLIENT_CA_FILE: .*"CN=/);
    const warnings = [{ field: 'tls_client_auth_ca[0]', message }];
    expect(parse(pinned, { anchors: [other] })).toMatchObject({ ok: true, warnings });
  });

  test('causes none if it is a configured intermediate, or no CA is configured', () => {
    expect(parse(pinned, { anchors: [other], intermediates: [one] })).toMatchObject({ ok: true, warnings: [] });
    expect(parse(pinned, { anchors: [] })).toMatchObject({ ok: true, warnings: [] });
  });
});

describe('a client that is registered by a SPIFFE ID', () => {
  const spiffe = { tls_client_auth_subject_dn: undefined, tls_client_auth_spiffe_id: 'spiffe://prod.example/a' };

  test.each([
    [[], ': add the key of its CA, which `countersign certificate CA.pem` prints'],
    [[one], `: add ${one.publicKeyThumbprint} ("CN=Root A")`],
    [[one, other], ': any of these CAs could issue a certificate for this client; add the key of the right one'],
  ])('is rejected without tls_client_auth_ca, and the error contains the fix', (anchors, fix) => {
    for (const requireCaPin of [false, true]) {
      const result = parse(spiffe, { anchors, requireCaPin });
      const what = 'is missing, and tls_client_auth_spiffe_id requires it, to tie the trust domain to its CA';
      const errors = [{ field: 'tls_client_auth_ca', message: expect.stringContaining(`${what}${fix}`) }];
      expect(result).toEqual({ ok: false, errors });
    }
  });

  test('is accepted with tls_client_auth_ca', () => {
    const result = parse({ ...spiffe, tls_client_auth_ca: [hex] }, { anchors: [one, other] });
    expect(result).toMatchObject({ ok: true, warnings: [] });
  });

  test.each([
    ['a subject', { tls_client_auth_subject_dn: 'CN=a' }],
    ['a URI', { tls_client_auth_san_uri: 'spiffe://prod.example/a' }],
    ['a name in an IdentityServer secret', { client_secrets: [{ type: 'X509Name', value: 'CN=a' }] }],
  ])('is rejected with %s as well', (_, more) => {
    const result = parse({ ...spiffe, tls_client_auth_ca: [hex], ...more }, {});
    expect(result).toMatchObject({ ok: false, errors: [{ message: expect.stringContaining('exactly one') }] });
  });

  test('is rejected if the ID is invalid, also without a pin', () => {
    const errors = ['tls_client_auth_spiffe_id', 'tls_client_auth_ca'].map((field) => ({ field }));
    const result = parse({ ...spiffe, tls_client_auth_spiffe_id: 'spiffe://*/a' }, {});
    expect(result).toMatchObject({ ok: false, errors });
  });
});

describe('a client without tls_client_auth_ca', () => {
  test('causes a warning with all CAs if there are several, and none if there is one', () => {
    expect(parse({}, { anchors: [one] })).toMatchObject({ ok: true, warnings: [] });
    const warned = parse({}, { anchors: [one, other] });
    expect(warned).toMatchObject({ ok: true, warnings: [{ field: 'tls_client_auth_ca' }] });
    const message = warned.ok ? warned.warnings[0]?.message : '';
    for (const { publicKeyThumbprint, subjectText } of [one, other]) {
      expect(message).toContain(`${publicKeyThumbprint} ("${subjectText}")`);
    }
    expect(parse({ tls_client_auth_ca: [hex] }, { anchors: [one, other] })).toMatchObject({ ok: true, warnings: [] });
  });

  test('is rejected if COUNTERSIGN_REQUIRE_CA_PIN is true', () => {
    const refused = parse({}, { anchors: [one], requireCaPin: true });
    const message = expect.stringContaining(`COUNTERSIGN_REQUIRE_CA_PIN is true: add ${one.publicKeyThumbprint}`);
    expect(refused).toMatchObject({ ok: false, errors: [{ field: 'tls_client_auth_ca', message }] });
  });
});
