import { describe, expect, test } from 'vitest';
import {
  type CertificateAuthority,
  type CertificateOptions,
  createCertificateAuthority,
} from '../../support/certificates.ts';
import { judgeChain } from '../../support/judge-chain.ts';
import { keyPair } from '../../support/keys.ts';

const HOUR = 3_600_000;
const expired = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
const named = (CN: string): CertificateOptions => ({ subject: [['CN', CN]] });
const keyIdentifiers = ['2.5.29.14', '2.5.29.35'];
const root = createCertificateAuthority(named('Root'));

/** A certificate for the name and key of an authority, by another. */
function certify(issuer: CertificateAuthority, { subject, keys }: CertificateAuthority, options = {}) {
  return issuer.issueAuthority({ subject, keys, ...options });
}

describe('two authorities that certify each other', () => {
  const [one, other] = [createCertificateAuthority(named('One')), createCertificateAuthority(named('Other'))];
  const loop = [certify(other, one), certify(one, other)];

  test('lead nowhere', () => {
    expect(judgeChain({ configured: [root], leaf: one.issue(), forwarded: loop }).verified).toBe(false);
    expect(judgeChain({ configured: [root, ...loop], leaf: one.issue() }).verified).toBe(false);
  });

  test('lead to an anchor that certifies one of them', () => {
    const forwarded = [...loop, certify(root, other)];
    expect(judgeChain({ configured: [root], leaf: one.issue(), forwarded })).toMatchObject({
      reason: 'path to anchor "CN=Root" → "CN=Other" → "CN=One"',
    });
  });

  test('an authority that certifies itself again leads nowhere', () => {
    const again = certify(one, one);
    expect(judgeChain({ configured: [root], leaf: one.issue(), forwarded: [again, one] }).verified).toBe(false);
  });
});

describe('one name, two keys', () => {
  const twin = createCertificateAuthority(named('Root'));

  test('each vouches for its own clients', () => {
    for (const issuer of [root, twin]) {
      expect(judgeChain({ configured: [root, twin], leaf: issuer.issue() }).verified).toBe(true);
      expect(judgeChain({ configured: [twin, root], leaf: issuer.issue() }).verified).toBe(true);
    }
  });

  test('one that is not configured vouches for nobody', () => {
    const below = twin.issueAuthority(named('Below'));
    const pki = { configured: [root], leaf: below.issue(), forwarded: [below, twin] };
    expect(judgeChain(pki)).toMatchObject({
      verified: false,
      reason: expect.stringContaining('not signed by the key'),
    });
  });

  test('a key identifier that was copied changes nothing', () => {
    const copied = root.issue({ keys: keyPair('ec-p256', { reuse: false }) });
    const impostor = createCertificateAuthority({ ...named('Root'), withoutExtensions: keyIdentifiers });
    expect(judgeChain({ configured: [root, impostor], leaf: copied }).verified).toBe(true);
    expect(judgeChain({ configured: [impostor], leaf: copied }).verified).toBe(false);
  });
});

describe('a root that was renewed over the same key', () => {
  const { keys } = root;
  const old = createCertificateAuthority({ ...named('Root'), keys, ...expired });
  const constrained = createCertificateAuthority({ ...named('Root'), keys, eku: 'server' });

  test.each([
    ['the new one alone', [root], true],
    ['both', [old, root], true],
    ['both, the other order', [root, old], true],
    ['the old one alone, which expired', [old], false],
    ['one for servers beside it', [constrained, root], true],
  ])('%s', (_, configured, verified) => {
    expect(judgeChain({ configured, leaf: root.issue() }).verified).toBe(verified);
  });

  test('the old one forwarded, the new one configured', () => {
    expect(judgeChain({ configured: [root], leaf: root.issue(), forwarded: [old] }).verified).toBe(true);
  });
});

describe('a wide mesh: 20 CAs of one name, and below each one of another', () => {
  const mesh = (options: CertificateOptions) => {
    const roots = Array.from({ length: 20 }, () => createCertificateAuthority({ ...named('Wide'), ...options }));
    return { roots, below: roots.map((anchor) => anchor.issueAuthority({ ...named('Below'), ...options })) };
  };

  test.each([
    ['with key identifiers', {}],
    ['without', { withoutExtensions: keyIdentifiers }],
  ])('%s, every client has its path', (_, options) => {
    const { roots, below } = mesh(options);
    for (const issuer of below) {
      const leaf = issuer.issue(options);
      expect(judgeChain({ configured: [...roots, ...below], leaf }).verified).toBe(true);
    }
  });

  test('a client of the 21st has none', () => {
    const { roots, below } = mesh({});
    const leaf = createCertificateAuthority(named('Wide')).issueAuthority(named('Below')).issue();
    expect(judgeChain({ configured: [...roots, ...below], leaf }).verified).toBe(false);
  });
});
