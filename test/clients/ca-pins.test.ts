import { describe, expect, test } from 'vitest';
import { parseClient } from '../../src/clients/parse-client.ts';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { createTestCa } from '../support/certificates.ts';
import { usualPolicy } from '../support/policy.ts';

const caPins = ['Root A', 'Root B'].map((name) => createTestCa({ subject: [['CN', name]] }));
const [one, other] = caPins.map(({ der }) => parseCaCertificate(der));
if (!one || !other) throw new Error('there are two');
const record = { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a' };
const hex = Buffer.from(one.publicKeyThumbprint, 'base64url').toString('hex');
const read = (fields: object, policy: object) =>
  parseClient({ ...record, ...fields }, { ...usualPolicy, ...policy }, 0);

describe('a pin to a CA', () => {
  test.each([one.publicKeyThumbprint, hex, hex.toUpperCase().replace(/..(?!$)/g, '$&:')])('is read: %s', (text) => {
    expect(read({ tls_client_auth_ca: [text] }, {})).toMatchObject({
      ok: true,
      client: { authentication: { caPins: [one.publicKeyThumbprint] } },
    });
  });

  test.each<[string, object]>([
    ['a name', { tls_client_auth_ca: ['CN=Root A'] }],
    ['SHA-1', { tls_client_auth_ca: ['bca0d040847f843c5ee0fa6eb494837470155868'] }],
    ['no list', { tls_client_auth_ca: 7 }],
    ['an empty list', { tls_client_auth_ca: [] }],
  ])('is refused: %s', (_, fields) => {
    expect(read(fields, {})).toMatchObject({
      ok: false,
      errors: [{ field: expect.stringMatching(/^tls_client_auth_ca/) }],
    });
  });

  test('does not belong to a client that is known by its certificate', () => {
    const own = { token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates: [{ thumbprint: hex }] };
    const fields = { ...own, tls_client_auth_subject_dn: undefined, tls_client_auth_ca: [hex] };
    expect(read(fields, {})).toMatchObject({ ok: false, errors: [{ field: 'tls_client_auth_ca' }] });
  });
});

describe('without a pin', () => {
  test('one CA is no reason to warn, several are, and all who could vouch for the client are named', () => {
    expect(read({}, { anchors: [one] })).toMatchObject({ ok: true, warnings: [] });
    const warned = read({}, { anchors: [one, other] });
    expect(warned).toMatchObject({ ok: true, warnings: [{ field: 'tls_client_auth_ca' }] });
    const message = warned.ok ? warned.warnings[0]?.message : '';
    for (const { publicKeyThumbprint, subjectText } of [one, other]) {
      expect(message).toContain(`${publicKeyThumbprint} ("${subjectText}")`);
    }
    expect(read({ tls_client_auth_ca: [hex] }, { anchors: [one, other] })).toMatchObject({ ok: true, warnings: [] });
  });

  test('a client is refused where pins are compulsory', () => {
    const refused = read({}, { anchors: [one], requireCaPin: true });
    const message = expect.stringContaining(`COUNTERSIGN_REQUIRE_CA_PIN is true: add ${one.publicKeyThumbprint}`);
    expect(refused).toMatchObject({ ok: false, errors: [{ field: 'tls_client_auth_ca', message }] });
  });
});
