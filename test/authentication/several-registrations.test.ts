import { describe, expect, test } from 'vitest';
import { authenticateClient } from '../../src/authentication/authenticate-client.ts';
import { completeValidation } from '../../src/authentication/postponed-validation.ts';
import type { PresentedCertificate } from '../../src/clients/methods/method.ts';
import { parseForm } from '../../src/oauth/form.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import type { ChainStatus } from '../../src/pki/path/verify-chain.ts';
import { WaitingRoom } from '../../src/pki/path/waiting-room.ts';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { countCalls } from '../support/function-calls.ts';
import { registeredClient } from '../support/registered-client.ts';

const ca = createTestCa();
const certificates = {
  'CN=one': ca.issue({ subject: [['CN', 'one']] }),
  'CN=two': ca.issue({ subject: [['CN', 'two']] }),
  three: selfSigned({ subject: [['CN', 'three']] }),
  four: selfSigned({ subject: [['CN', 'four']] }),
  stranger: ca.issue({ subject: [['CN', 'stranger']] }),
};
type Name = keyof typeof certificates;

const verified: ChainStatus = { verified: true, reason: 'validated', paths: undefined };
const unverified: ChainStatus = { verified: false, code: 'path_issuer_unknown', reason: 'nobody signed it' };
const final: ChainStatus = { verified: false, code: 'verification_failed', reason: 'revoked', isFinal: true };

const year = (number: number) => Date.parse(`20${number}-06-01`);
const until = (number: number) => ({ expiration: `20${number}-12-31`, description: `until 20${number}` });
const byName = (value: string, number: number) => ({ type: 'X509Name', value, ...until(number) });
const byThumbprint = (name: Name, number: number) => ({
  type: 'X509Thumbprint',
  value: Buffer.from(certificates[name].thumbprint, 'base64url').toString('hex'),
  ...until(number),
});
const client = registeredClient({
  client_secrets: [byName('CN=one', 27), byThumbprint('three', 28), byName('CN=two', 29), byThumbprint('four', 30)],
});

const present = ({ der }: MintedCertificate, chain: ChainStatus): PresentedCertificate => ({
  kind: 'certificate',
  certificate: parseClientCertificate(der),
  chain,
});

/** The certificates of this test are valid at any time: only registrations end. */
function authenticate(registered: typeof client, certificate: MintedCertificate, chain: ChainStatus, now: number) {
  const presented = present(certificate, chain);
  const valid = {
    ...presented,
    certificate: { ...parseClientCertificate(certificate.der), notBefore: 0, notAfter: Infinity },
  };
  return authenticateClient(registered, { clientId: 'a', methods: [] }, { form: parseForm(''), presented: valid, now });
}

async function codeOf(...args: Parameters<typeof authenticate>): Promise<string> {
  const thrown = await authenticate(...args).then(
    ({ registration }) => registration.description,
    (error: unknown) => error,
  );
  return thrown instanceof OAuthError ? thrown.code : String(thrown);
}

describe('a client with two names and two thumbprints is authenticated by each until that one expires:', () => {
  test.each<[Name, ChainStatus, number]>([
    ['CN=one', verified, 27],
    ['CN=two', verified, 29],
    ['three', unverified, 28],
    ['four', unverified, 30],
  ])('%s', async (name, chain, last) => {
    for (const now of [26, 27, 28, 29, 30, 31]) {
      const expected = now <= last ? `until 20${last}` : 'registration_ended';
      expect(await codeOf(client, certificates[name], chain, year(now)), `in 20${now}`).toBe(expected);
    }
  });
});

describe('a client with names and thumbprints is rejected with', () => {
  test.each<[string, Name, ChainStatus, string]>([
    ['one of the names, and a chain that is not verified', 'CN=one', unverified, 'path_issuer_unknown'],
    ['one of the names, and a negative verdict', 'CN=one', final, 'verification_failed'],
    ['one of the thumbprints, and a negative verdict', 'three', final, 'verification_failed'],
    ['another certificate', 'stranger', verified, 'certificate_unregistered'],
    ['another certificate, and a chain that is not verified', 'stranger', unverified, 'certificate_unregistered'],
    ['another certificate, and a negative verdict', 'stranger', final, 'verification_failed'],
  ])('%s', async (_, name, chain, code) => {
    expect(await codeOf(client, certificates[name], chain, year(26))).toBe(code);
  });

  test('a reason that names what is registered', async () => {
    const { reason } = await authenticate(client, certificates.stranger, verified, year(26)).catch((error) => error);
    expect(reason).toContain('(2 certificates are registered)');
    expect(reason).toContain(`registered are: thumbprint ${certificates.three.thumbprint}; `);
    expect(reason).toContain('registered is "CN=one" or "CN=two"');
  });

  test('the same work, however many are registered', async () => {
    const formatted = async (count: number) => {
      const names = Array.from({ length: count }, (_, index) => byName(`CN=name ${index}`, 30));
      const many = registeredClient({ client_secrets: [...names, byThumbprint('three', 30)] });
      const calls = await countCalls(async () => {
        expect(await codeOf(many, certificates.stranger, verified, year(26))).toBe('certificate_unregistered');
      });
      return calls.filter(({ name }) => name === 'formatDistinguishedName').reduce((sum, each) => sum + each.calls, 0);
    };
    expect(await formatted(1_000)).toBe(await formatted(10));
  });

  test('no certificate', async () => {
    const presented = { kind: 'none', code: 'certificate_missing', reason: 'there is none' } as const;
    const request = { form: parseForm(''), presented, now: year(26) };
    const credentials = { clientId: 'a', methods: [] };
    await expect(authenticateClient(client, credentials, request)).rejects.toMatchObject({
      code: 'certificate_missing',
    });
  });
});

test('an ended secret does not keep a later one for the same certificate from counting', async () => {
  const renewed = registeredClient({ client_secrets: [byName('CN=one', 26), byName('CN=one', 28)] });
  expect(await codeOf(renewed, certificates['CN=one'], verified, year(27))).toBe('until 2028');
});

test('tls_client_auth_ca applies to all names, and to no thumbprint', async () => {
  const pinned = registeredClient({
    client_secrets: [byName('CN=one', 30), byName('CN=two', 30), byThumbprint('three', 30)],
    tls_client_auth_ca: [certificates.four.thumbprint],
  });
  for (const name of ['CN=one', 'CN=two'] as const)
    expect(await codeOf(pinned, certificates[name], verified, year(26))).toBe('ca_pin_unverifiable');
  expect(await codeOf(pinned, certificates.three, unverified, year(26))).toBe('until 2030');
});

test('a description is shortened, and one that is blank is none', async () => {
  const long = { ...byName('CN=one', 30), description: 'ä'.repeat(100_000) };
  const { registration } = await authenticate(
    registeredClient({ client_secrets: [long] }),
    certificates['CN=one'],
    verified,
    year(26),
  );
  expect(registration.description).toBe(`${'ä'.repeat(200)}…`);
  const blank = registeredClient({ client_secrets: [{ ...long, description: ' ' }] });
  expect(blank.registrations[0].description).toBeUndefined();
});

test('the note of a registered certificate is its description', () => {
  const { thumbprint } = certificates.three;
  const noted = registeredClient({ certificates: [{ thumbprint, note: 'HSM 2' }, { thumbprint }] });
  expect(noted.registrations.map(({ description }) => description)).toEqual(['HSM 2', undefined]);
});

describe('a postponed validation is made', () => {
  const bothWays = (name: number, thumbprint: number) =>
    registeredClient({ client_secrets: [byName('CN=one', name), byThumbprint('CN=one', thumbprint)] });
  const other = registeredClient({ client_id: 'b', client_secrets: [byThumbprint('CN=one', 30)] });
  test.each<[string, readonly (typeof client)[], number, string]>([
    ['for a name', [client], 1, 'verified'],
    ['never for a thumbprint', [other], 0, 'unverified'],
    ['never for a thumbprint and a name', [bothWays(30, 30)], 0, 'unverified'],
    ['for a name if the thumbprint has ended', [bothWays(30, 25)], 1, 'verified'],
    ['never for a name that has ended', [bothWays(25, 30)], 0, 'unverified'],
    ['for the name of another client with this thumbprint', [other, client], 1, 'verified'],
  ])('%s', async (_, candidates, expected, outcome) => {
    let validations = 0;
    const validate = async () => {
      validations += 1;
      return verified;
    };
    const postponed = { validate, waitingRoom: new WaitingRoom() };
    const chain: ChainStatus = { verified: false, code: 'path_validation_postponed', reason: '', postponed };
    const completed = await completeValidation(present(certificates['CN=one'], chain), candidates, year(26));
    const isVerified = completed.kind === 'certificate' && completed.chain.verified;
    expect([validations, isVerified ? 'verified' : 'unverified']).toEqual([expected, outcome]);
  });

  test('and one that fails leaves the client of the thumbprint', async () => {
    const postponed = { validate: async () => unverified, waitingRoom: new WaitingRoom() };
    const chain: ChainStatus = { verified: false, code: 'path_validation_postponed', reason: '', postponed };
    const completed = await completeValidation(present(certificates['CN=one'], chain), [other, client], year(26));
    expect(completed).toMatchObject({ chain: unverified });
  });
});
