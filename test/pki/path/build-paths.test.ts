import { describe, expect, test } from 'vitest';
import { chainBelow } from '../../support/ca-chain.ts';
import { createTestCa, type TestCa } from '../../support/certificates.ts';
import { keyPair } from '../../support/keys.ts';
import { type Pki, verifyChain } from '../../support/verify-chain.ts';

const HOUR = 3_600_000;
const expired = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
const root = createTestCa({ subject: [['CN', 'Root']] });
const intermediate = root.issueIntermediate({ subject: [['CN', 'Intermediate']] });
const named = (name: string) => ({ subject: [['CN', name]] }) as const;

/** CAs with the same name and different keys. */
const sameNamed = Array.from({ length: 20 }, () => createTestCa(named('Same')));
/** Two certificates for the same CA, from different issuers. */
function crossSigned(one: TestCa, other: TestCa, options = {}) {
  const keys = keyPair('ec-p256', { reuse: false });
  return [
    one.issueIntermediate({ ...named('Cross'), keys }),
    other.issueIntermediate({ ...named('Cross'), keys, ...options }),
  ] as const;
}

describe('a path is built', () => {
  const other = createTestCa(named('Other'));
  const deep = chainBelow(root, ['1', '2', '3', '4', '5'].map(named));
  const [byRoot, byOther] = crossSigned(root, other);
  const [current, old] = crossSigned(root, root, expired);
  test.each<[string, Pki]>([
    ['of two levels', { configured: [root], leaf: root.issue() }],
    [
      'of three levels with a configured intermediate',
      { configured: [root, intermediate], leaf: intermediate.issue() },
    ],
    [
      'of three levels with a forwarded intermediate',
      { configured: [root], leaf: intermediate.issue(), forwarded: [intermediate] },
    ],
    [
      'if the root is forwarded as well',
      { configured: [root], leaf: intermediate.issue(), forwarded: [intermediate, root] },
    ],
    ['of seven levels', { configured: [root], leaf: deep.last.issue(), forwarded: deep.cas }],
    [
      'through a cross-signed intermediate to one anchor',
      { configured: [root, byOther], leaf: byRoot.issue(), forwarded: [byRoot] },
    ],
    [
      'through a cross-signed intermediate to the other anchor',
      { configured: [other, byRoot], leaf: byRoot.issue(), forwarded: [byOther] },
    ],
    [
      'past an expired certificate of the same intermediate',
      { configured: [root, old], leaf: current.issue(), forwarded: [current] },
    ],
    ['among 20 CAs with the same name', { configured: sameNamed, leaf: (sameNamed.at(-1) ?? root).issue() }],
  ])('%s', (_, pki) => {
    expect(verifyChain(pki)).toMatchObject({ verified: true, reason: expect.stringContaining('path to anchor') });
  });
});

describe('no path is built', () => {
  const expiredRoot = createTestCa({ ...named('Root'), ...expired });
  const old = root.issueIntermediate({ ...named('Old'), ...expired });
  const impostor = createTestCa(named('Root'));
  const short = root.issueIntermediate({ ...named('Short'), pathLength: 0 });
  const below = short.issueIntermediate(named('Below'));
  const forServers = root.issueIntermediate({ ...named('For servers'), eku: 'server' });
  const weak = createTestCa({ ...named('Weak'), keyType: 'rsa-2048' });
  const critical = { oid: '1.3.6.1.4.1.99999.7', critical: true, value: Buffer.of(0x05, 0x00) };
  test.each<[string, Pki, string]>([
    [
      'to an unknown issuer',
      { configured: [root], leaf: createTestCa(named('X')).issue() },
      'has no known issuer: "CN=X"',
    ],
    [
      'to another CA with the same name',
      { configured: [root], leaf: impostor.issue() },
      'not signed by the key of its issuer "CN=Root" (RFC 5280 §6.1.3 (a)(1))',
    ],
    [
      'to a forwarded root',
      { configured: [root], leaf: impostor.issue(), forwarded: [impostor] },
      'not signed by the key',
    ],
    [
      'to an intermediate that is configured without its root',
      { configured: [intermediate], leaf: intermediate.issue() },
      'has no known issuer: "CN=Root"',
    ],
    [
      'through an expired root',
      { configured: [expiredRoot], leaf: expiredRoot.issue() },
      'CA "CN=Root" (1 above the certificate) expired at',
    ],
    [
      'through an expired intermediate',
      { configured: [root, old], leaf: old.issue() },
      'CA "CN=Old" (1 above the certificate) expired at',
    ],
    [
      'beyond the path length of a CA',
      { configured: [root, short, below], leaf: below.issue() },
      'CA "CN=Short" (2 above the certificate) allows 0 intermediates below it, and the path has 1 (RFC 5280 §6.1.4 (l))',
    ],
    [
      'through a CA restricted to serverAuth',
      { configured: [root, forServers], leaf: forServers.issue() },
      'may not issue client certificates: its extended key usage lacks clientAuth (RFC 5280 §4.2.1.12)',
    ],
    [
      'with a SHA-1 signature',
      { configured: [weak], leaf: weak.issue({ signatureHash: 'SHA-1' }) },
      'an algorithm that is not accepted',
    ],
    [
      'with an unknown critical extension',
      { configured: [root], leaf: root.issue({ extraExtensions: [critical] }) },
      'unknown critical extension: 1.3.6.1.4.1.99999.7',
    ],
  ])('%s', (_, pki, reason) => {
    expect(verifyChain(pki)).toMatchObject({ verified: false, reason: expect.stringContaining(reason) });
  });
});
