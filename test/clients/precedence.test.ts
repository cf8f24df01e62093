import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mostSpecific } from '../../src/clients/precedence.ts';
import { matchesPattern, parseSpiffePattern } from '../../src/clients/spiffe-pattern.ts';
import { selfSigned, thumbprintOf } from '../support/certificates.ts';
import { registeredClient } from '../support/registered-client.ts';
import { sharedAmong } from '../support/shared-identities.ts';
import { spiffePatterns } from '../support/spiffe-ids.ts';

const td = 'spiffe://prod.example';
const spiffe = (path: string) => ({
  tls_client_auth_spiffe_id: `${td}/${path}`,
  tls_client_auth_ca: [thumbprintOf(Buffer.from('CA'))],
});
const fields: Record<string, object> = {
  exact: spiffe('ns/shop/sa/billing'),
  uri: { tls_client_auth_san_uri: `${td}/ns/shop/sa/billing` },
  three: spiffe('ns/*/sa/billing'),
  'also three': spiffe('ns/shop/sa/*'),
  two: spiffe('ns/*/sa/*'),
  one: spiffe('ns/*/*/*'),
  dn: { tls_client_auth_subject_dn: 'CN=billing' },
  certificate: { certificates: [{ thumbprint: selfSigned().thumbprint }] },
};
const match = (name: string) => {
  const client = registeredClient({ client_id: name, ...fields[name] });
  return { client, registration: client.registrations[0] };
};

describe('mostSpecific of clients that a certificate authenticates', () => {
  test.each<[readonly string[], readonly string[]]>([
    [[], []],
    [['one'], ['one']],
    [['dn'], ['dn']],
    [['exact', 'three'], ['exact']],
    [['three', 'exact'], ['exact']],
    [['one', 'two', 'three'], ['three']],
    [['uri', 'two'], ['uri']],
    [
      ['uri', 'exact', 'two'],
      ['uri', 'exact'],
    ],
    [
      ['three', 'also three', 'two'],
      ['three', 'also three'],
    ],
    [['three', 'also three', 'exact'], ['exact']],
    [
      ['dn', 'exact'],
      ['dn', 'exact'],
    ],
    [
      ['two', 'dn', 'three'],
      ['dn', 'three'],
    ],
    [
      ['certificate', 'two'],
      ['certificate', 'two'],
    ],
    [
      ['dn', 'certificate'],
      ['dn', 'certificate'],
    ],
  ])('%j is %j', (names, expected) => {
    expect(mostSpecific(names.map(match)).map(({ client }) => client.clientId)).toEqual(expected);
  });

  test('returns the matches themselves', () => {
    const [general, exact] = [match('two'), match('exact')];
    expect(mostSpecific([general, exact])[0]).toBe(exact);
  });
});

test('two clients share IDs exactly if one matches both of them and neither has precedence', async () => {
  const short = spiffePatterns.filter((text) => text.split('/').length <= 8);
  const idsOf = (length: number): string[] =>
    length === 0 ? [td] : idsOf(length - 1).flatMap((id) => ['a', 'b'].map((letter) => `${id}/${letter}`));
  await fc.assert(
    fc.asyncProperty(short, short, async (...texts) => {
      const patterns = texts.map(parseSpiffePattern);
      const [one, other] = texts.map((text) => {
        const client = registeredClient(spiffe(text.slice(td.length + 1)));
        return { client, registration: client.registrations[0] };
      });
      if (!one || !other) throw new Error('two clients are expected');
      const ids = idsOf(patterns[0]?.segments.length ?? 0);
      const isShared = ids.some((id) => patterns.every((pattern) => matchesPattern(id, pattern)));
      const isAmbiguous = isShared && mostSpecific([one, other]).length === 2;
      const clients = [one.client, { ...other.client, clientId: 'another' }];
      const shared = await sharedAmong(clients, { policy: { anchors: [] }, now: 0 });
      expect(shared.length).toBe(isAmbiguous ? 1 : 0);
    }),
    { numRuns: 300 },
  );
});
