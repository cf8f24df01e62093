import { describe, expect, test } from 'vitest';
import { type CertificateOptions, createTestCa, type TestCa } from '../../support/certificates.ts';
import { keyPair } from '../../support/keys.ts';
import { verifyChain } from '../../support/verify-chain.ts';

const HOUR = 3_600_000;
const expired = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
const named = (CN: string): CertificateOptions => ({ subject: [['CN', CN]] });
const keyIdentifiers = ['2.5.29.14', '2.5.29.35'];
const root = createTestCa(named('Root'));

/** A certificate for the name and key of an authority, by another. */
function certify(issuer: TestCa, { subject, keys }: TestCa, options = {}) {
  return issuer.issueIntermediate({ subject, keys, ...options });
}

describe('two authorities that certify each other', () => {
  const [one, other] = [createTestCa(named('One')), createTestCa(named('Other'))];
  const loop = [certify(other, one), certify(one, other)];

  test('lead nowhere', () => {
    expect(verifyChain({ configured: [root], leaf: one.issue(), forwarded: loop }).verified).toBe(false);
    expect(verifyChain({ configured: [root, ...loop], leaf: one.issue() }).verified).toBe(false);
  });

  test('lead to an anchor that certifies one of them', () => {
    const forwarded = [...loop, certify(root, other)];
    expect(verifyChain({ configured: [root], leaf: one.issue(), forwarded })).toMatchObject({
      reason: 'path to anchor "CN=Root" → "CN=Other" → "CN=One"',
    });
  });

  test('an authority that certifies itself again leads nowhere', () => {
    const again = certify(one, one);
    expect(verifyChain({ configured: [root], leaf: one.issue(), forwarded: [again, one] }).verified).toBe(false);
  });
});

describe('one name, two keys', () => {
  const twin = createTestCa(named('Root'));

  test('each vouches for its own clients', () => {
    for (const issuer of [root, twin]) {
      expect(verifyChain({ configured: [root, twin], leaf: issuer.issue() }).verified).toBe(true);
      expect(verifyChain({ configured: [twin, root], leaf: issuer.issue() }).verified).toBe(true);
    }
  });

  test('one that is not configured vouches for nobody', () => {
    const below = twin.issueIntermediate(named('Below'));
    const pki = { configured: [root], leaf: below.issue(), forwarded: [below, twin] };
    expect(verifyChain(pki)).toMatchObject({
      verified: false,
      reason: expect.stringContaining('not signed by the key'),
    });
  });

  test('a key identifier that was copied changes nothing', () => {
    const copied = root.issue({ keys: keyPair('ec-p256', { reuse: false }) });
    const impostor = createTestCa({ ...named('Root'), withoutExtensions: keyIdentifiers });
    expect(verifyChain({ configured: [root, impostor], leaf: copied }).verified).toBe(true);
    expect(verifyChain({ configured: [impostor], leaf: copied }).verified).toBe(false);
  });
});

describe('a root that was renewed over the same key', () => {
  const { keys } = root;
  const old = createTestCa({ ...named('Root'), keys, ...expired });
  const constrained = createTestCa({ ...named('Root'), keys, eku: 'server' });

  test.each([
    ['the new one alone', [root], true],
    ['both', [old, root], true],
    ['both, the other order', [root, old], true],
    ['the old one alone, which expired', [old], false],
    ['one for servers beside it', [constrained, root], true],
  ])('%s', (_, configured, verified) => {
    expect(verifyChain({ configured, leaf: root.issue() }).verified).toBe(verified);
  });

  test('the old one forwarded, the new one configured', () => {
    expect(verifyChain({ configured: [root], leaf: root.issue(), forwarded: [old] }).verified).toBe(true);
  });
});

describe('a wide mesh: 20 CAs of one name, and below each one of another', () => {
  const mesh = (options: CertificateOptions) => {
    const roots = Array.from({ length: 20 }, () => createTestCa({ ...named('Wide'), ...options }));
    return { roots, below: roots.map((anchor) => anchor.issueIntermediate({ ...named('Below'), ...options })) };
  };

  test.each([
    ['with key identifiers', {}],
    ['without', { withoutExtensions: keyIdentifiers }],
  ])('%s, every client has its path', (_, options) => {
    const { roots, below } = mesh(options);
    for (const issuer of below) {
      const leaf = issuer.issue(options);
      expect(verifyChain({ configured: [...roots, ...below], leaf }).verified).toBe(true);
    }
  });

  test('a client of the 21st has none', () => {
    const { roots, below } = mesh({});
    const leaf = createTestCa(named('Wide')).issueIntermediate(named('Below')).issue();
    expect(verifyChain({ configured: [...roots, ...below], leaf }).verified).toBe(false);
  });
});
