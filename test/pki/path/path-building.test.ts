import { describe, expect, test } from 'vitest';
import { type CertificateOptions, createTestCa, type TestCa } from '../../support/certificates.ts';
import { keyPair } from '../../support/keys.ts';
import { verifyChain } from '../../support/verify-chain.ts';

const HOUR = 3_600_000;
const expired = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
const named = (CN: string): CertificateOptions => ({ subject: [['CN', CN]] });
const keyIdentifiers = ['2.5.29.14', '2.5.29.35'];
const root = createTestCa(named('Root'));

/** Cross-certifies the name and key of a CA by another. */
function certify(issuer: TestCa, { subject, keys }: TestCa, options = {}) {
  return issuer.issueIntermediate({ subject, keys, ...options });
}

describe('two CAs that certify each other', () => {
  const [one, other] = [createTestCa(named('One')), createTestCa(named('Other'))];
  const loop = [certify(other, one), certify(one, other)];

  test('do not verify a client by themselves', () => {
    expect(verifyChain({ configured: [root], leaf: one.issue(), forwarded: loop }).verified).toBe(false);
    expect(verifyChain({ configured: [root, ...loop], leaf: one.issue() }).verified).toBe(false);
  });

  test('verify a client through an anchor that certifies one of them', () => {
    const forwarded = [...loop, certify(root, other)];
    expect(verifyChain({ configured: [root], leaf: one.issue(), forwarded })).toMatchObject({
      reason: 'path to anchor "CN=Root" → "CN=Other" → "CN=One"',
    });
  });

  test('do not verify a client if one of them certifies itself', () => {
    const again = certify(one, one);
    expect(verifyChain({ configured: [root], leaf: one.issue(), forwarded: [again, one] }).verified).toBe(false);
  });
});

describe('two CAs with the same name', () => {
  const twin = createTestCa(named('Root'));

  test('each verify their own clients', () => {
    for (const issuer of [root, twin]) {
      expect(verifyChain({ configured: [root, twin], leaf: issuer.issue() }).verified).toBe(true);
      expect(verifyChain({ configured: [twin, root], leaf: issuer.issue() }).verified).toBe(true);
    }
  });

  test('do not verify clients of the one that is not configured', () => {
    const below = twin.issueIntermediate(named('Below'));
    const pki = { configured: [root], leaf: below.issue(), forwarded: [below, twin] };
    expect(verifyChain(pki)).toMatchObject({
      verified: false,
      reason: expect.stringContaining('not signed by the key'),
    });
  });

  test('are not confused by a copied key identifier', () => {
    const copied = root.issue({ keys: keyPair('ec-p256', { reuse: false }) });
    const impostor = createTestCa({ ...named('Root'), withoutExtensions: keyIdentifiers });
    expect(verifyChain({ configured: [root, impostor], leaf: copied }).verified).toBe(true);
    expect(verifyChain({ configured: [impostor], leaf: copied }).verified).toBe(false);
  });
});

describe('a root that was renewed with the same key', () => {
  const { keys } = root;
  const old = createTestCa({ ...named('Root'), keys, ...expired });
  const constrained = createTestCa({ ...named('Root'), keys, eku: 'server' });

  test.each([
    ['verifies a client with only the new certificate', [root], true],
    ['verifies a client with both certificates', [old, root], true],
    ['verifies a client with both certificates in the other order', [root, old], true],
    ['verifies no client with only the expired certificate', [old], false],
    ['verifies a client if another certificate is restricted to serverAuth', [constrained, root], true],
  ])('%s', (_, configured, verified) => {
    expect(verifyChain({ configured, leaf: root.issue() }).verified).toBe(verified);
  });

  test('verifies a client if the new certificate is configured and the old one forwarded', () => {
    expect(verifyChain({ configured: [root], leaf: root.issue(), forwarded: [old] }).verified).toBe(true);
  });
});

describe('a CA that was renewed ten times with the same key verifies a client', () => {
  const years = Array.from({ length: 10 }, (_, index) => 10 - index);
  /** Oldest first, the last one valid. */
  const renewals = (ca: TestCa, issuer: TestCa) =>
    [...years, 0].map((ago) => {
      const end = Date.now() + (1 - ago) * 365 * 24 * HOUR - HOUR;
      const validity = { notBefore: new Date(end - 365 * 24 * HOUR), notAfter: new Date(end) };
      return issuer === ca
        ? createTestCa({ subject: ca.subject, keys: ca.keys, ...validity })
        : certify(issuer, ca, validity);
    });

  const issuing = root.issueIntermediate(named('Renewed'));
  const intermediates = renewals(issuing, root);

  test.each([
    ['oldest first', intermediates],
    ['newest first', intermediates.toReversed()],
  ])('if all of its certificates are configured or forwarded, %s', (_, all) => {
    expect(verifyChain({ configured: [root, ...all], leaf: issuing.issue() }).verified).toBe(true);
    expect(verifyChain({ configured: [root], leaf: issuing.issue(), forwarded: all }).verified).toBe(true);
  });

  test('if its root was renewed as well', () => {
    const roots = renewals(root, root);
    expect(verifyChain({ configured: [...roots, ...intermediates], leaf: issuing.issue() }).verified).toBe(true);
  });

  test('only while one of its certificates is valid', () => {
    const old = intermediates.slice(0, -1);
    expect(verifyChain({ configured: [root, ...old], leaf: issuing.issue() }).reason).toContain('expired at');
  });
});

describe('20 CAs with one name, each with an intermediate of another name', () => {
  const mesh = (options: CertificateOptions) => {
    const roots = Array.from({ length: 20 }, () => createTestCa({ ...named('Wide'), ...options }));
    return { roots, below: roots.map((anchor) => anchor.issueIntermediate({ ...named('Below'), ...options })) };
  };

  test.each([
    ['with key identifiers', {}],
    ['without key identifiers', { withoutExtensions: keyIdentifiers }],
  ])('verify all clients %s', (_, options) => {
    const { roots, below } = mesh(options);
    for (const issuer of below) {
      const leaf = issuer.issue(options);
      expect(verifyChain({ configured: [...roots, ...below], leaf }).verified).toBe(true);
    }
  });

  test('do not verify a client of a 21st CA', () => {
    const { roots, below } = mesh({});
    const leaf = createTestCa(named('Wide')).issueIntermediate(named('Below')).issue();
    expect(verifyChain({ configured: [...roots, ...below], leaf }).verified).toBe(false);
  });
});
