import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { buildPaths } from '../../../src/pki/path/build-paths.ts';
import { createTrustStore } from '../../../src/pki/path/trust-store.ts';
import { chainBelow } from '../../support/ca-chain.ts';
import { type CertificateOptions, createTestCa, type MintedCertificate } from '../../support/certificates.ts';
import { relativeTo } from '../../support/cpu-time.ts';
import { type GeneralName, generalName, nameConstraints } from '../../support/general-names.ts';
import { type KeyType, rsaPublicKey } from '../../support/keys.ts';
import { verifyChain } from '../../support/verify-chain.ts';

/** In verifications with P-384, the slowest of the common types: twice as many as a search may compute. */
const MAX_COST = 80;
const MAX_SIGNATURE_CHECKS = 40;

const root = createTestCa({ subject: [['CN', 'Root']] });
const named = (CN: string): CertificateOptions => ({ subject: [['CN', CN]] });

const many = <Item>(length: number, item: (index: number) => Item) => Array.from({ length }, (_, index) => item(index));

interface Hostile {
  readonly leaf: MintedCertificate;
  readonly forwarded: readonly MintedCertificate[];
}

function prepare({ leaf, forwarded }: Hostile) {
  const trust = createTrustStore([parseCaCertificate(root.der)]);
  const certificate = parseClientCertificate(leaf.der);
  const chain = forwarded.map(({ der }) => der);
  return () => buildPaths(certificate, chain, trust).paths;
}

const p384 = new X509Certificate(createTestCa({ keyType: 'ec-p384' }).pem);
const p384Key = p384.publicKey;
const costOf = relativeTo(() => p384.verify(p384Key));

afterEach(() => vi.restoreAllMocks());

/** Ten CAs with one name, none of which signed the leaf, so that all are tried. */
function tenOfOneName(keyType: KeyType): Hostile {
  const forwarded = Array.from({ length: 10 }, () => createTestCa({ ...named('Same'), keyType }));
  return { leaf: createTestCa({ ...named('Same'), keyType }).issue(), forwarded };
}

/** The same with random moduli, since generating ten RSA keys takes seconds. Verification takes as long as with real ones. */
function tenRsaOfOneName(): Hostile {
  const keyType = 'rsa-4096';
  const forwarded = many(10, () =>
    createTestCa({ ...named('Same'), keyType, reuseKey: true, publicKey: rsaPublicKey({ bits: 4096 }) }),
  );
  return { leaf: createTestCa({ ...named('Same'), keyType, reuseKey: true }).issue(), forwarded };
}

/** Ten CAs with one name, each certified by the previous one; the last issued the leaf. */
function tenInARow(keyType: KeyType): Hostile {
  const options = { ...named('Same'), keyType };
  const { cas, last } = chainBelow(createTestCa(options), Array(9).fill(options));
  return { leaf: last.issue(), forwarded: cas };
}

/** All certificates have the same key, so that each seems to have signed every other; the anchor issued the first. */
function oneKeyManyNames(): Hostile {
  const first = root.issueIntermediate(named('A'));
  const again = (issuer: string, subject: string) =>
    first.issueIntermediate({ ...named(subject), issuerName: [['CN', issuer]], keys: first.keys });
  const pairs = ['AB', 'BA', 'AC', 'CA', 'BC', 'CB', 'AD', 'DA', 'BD'];
  return { leaf: first.issue(), forwarded: [first, ...pairs.map(([one = '', other = '']) => again(one, other))] };
}

/** Five levels below the anchor, each with these subtrees. */
function constrained(subtrees: readonly GeneralName[], leaf: CertificateOptions): Hostile {
  const extraExtensions = [nameConstraints({ excluded: subtrees })];
  const { cas, last } = chainBelow(
    root,
    many(5, (level) => ({ ...named(`Level ${level}`), extraExtensions })),
  );
  return { leaf: last.issue(leaf), forwarded: cas };
}

const { dns, uri, email, ip, directory } = generalName;
const hosts = (length: number) => many(length, (index) => dns(`h${index}.example`));

test('a search is as costly when the signatures of its CAs were verified before', () => {
  const slow = createTestCa({ ...named('Slow'), keyType: 'ec-p521' });
  const issuing = slow.issueIntermediate({ ...named('Issuing'), keyType: 'ec-p521' });
  const trust = createTrustStore([slow, issuing].map(({ der }) => parseCaCertificate(der)));
  const costly = [1, 2].map(() => buildPaths(parseClientCertificate(issuing.issue().der), [], trust).isCostly);
  expect(costly).toEqual([true, true]);
});

describe('path building is bounded for', () => {
  test.each<[string, Hostile]>([
    ['10 CAs with one name, P-256', tenOfOneName('ec-p256')],
    ['10 CAs with one name, P-384', tenOfOneName('ec-p384')],
    ['10 CAs with one name, P-521', tenOfOneName('ec-p521')],
    ['10 CAs with one name, brainpoolP512r1', tenOfOneName('ec-brainpool-p512r1')],
    ['10 CAs with one name, RSA 4096', tenRsaOfOneName()],
    ['a chain of 10 CAs with one name, P-384', tenInARow('ec-p384')],
    ['a chain of 10 CAs with one name, P-521', tenInARow('ec-p521')],
    ['10 certificates with one key', oneKeyManyNames()],
    ['5,000 names and 256 subtrees', constrained(hosts(256), { dns: many(5_000, () => 'a') })],
    ['a DNS name of 15,000 characters', constrained(hosts(800), { dns: ['a'.repeat(15_000)] })],
    [
      'a URI of 14,000 characters',
      constrained(
        many(800, () => uri('a.b')),
        { uris: [`https://${'a.'.repeat(7_000)}b/`] },
      ),
    ],
    [
      'an email address of 14,000 characters',
      constrained(
        many(800, () => email('a.b')),
        { emails: [`x@${'a.'.repeat(7_000)}b`] },
      ),
    ],
    [
      '2,000 IP addresses and 200 subtrees',
      constrained(
        many(200, () => ip('10.0.0.0/8')),
        { ips: many(2_000, (index) => `11.0.${index >> 8}.${index & 255}`) },
      ),
    ],
    [
      '300 wildcards',
      constrained(
        many(800, () => dns('a.b')),
        { dns: many(300, (index) => `*.${'a.'.repeat(20)}${index}`) },
      ),
    ],
    [
      'a long distinguished name',
      constrained(
        many(200, () => directory([['O', 'a'.repeat(30)]])),
        named('a'.repeat(1_000)),
      ),
    ],
  ])('%s', (_, hostile) => {
    const search = prepare(hostile);
    const verify = vi.spyOn(X509Certificate.prototype, 'verify');
    search();
    expect(verify.mock.calls.length).toBeLessThanOrEqual(MAX_SIGNATURE_CHECKS);
    verify.mockRestore();
    expect(costOf(search, MAX_COST)).toBeLessThan(MAX_COST);
  });

  test('5,000 names and 256 subtrees, which are rejected and not skipped', () => {
    const { leaf, forwarded } = constrained(hosts(256), { dns: many(5_000, () => 'a') });
    expect(verifyChain({ configured: [root], leaf, forwarded })).toMatchObject({ code: 'path_search_stopped' });
  });
});
