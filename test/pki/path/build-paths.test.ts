import { describe, expect, test } from 'vitest';
import { chainBelow } from '../../support/ca-chain.ts';
import { createTestCa, type TestCa } from '../../support/certificates.ts';
import { keyPair } from '../../support/keys.ts';
import { verifyChain as judge, type Pki } from '../../support/verify-chain.ts';

const HOUR = 3_600_000;
const expired = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
const root = createTestCa({ subject: [['CN', 'Root']] });
const intermediate = root.issueIntermediate({ subject: [['CN', 'Intermediate']] });
const named = (name: string) => ({ subject: [['CN', name]] }) as const;

/** As many CAs of one name, each with a key of its own. */
const sameNamed = Array.from({ length: 20 }, () => createTestCa(named('Same')));
/** An authority that two others vouch for. */
function crossSigned(one: TestCa, other: TestCa, options = {}) {
  const keys = keyPair('ec-p256', { reuse: false });
  return [
    one.issueIntermediate({ ...named('Cross'), keys }),
    other.issueIntermediate({ ...named('Cross'), keys, ...options }),
  ] as const;
}

describe('a path is found', () => {
  const other = createTestCa(named('Other'));
  const deep = chainBelow(root, ['1', '2', '3', '4', '5'].map(named));
  const [byRoot, byOther] = crossSigned(root, other);
  const [current, old] = crossSigned(root, root, expired);
  test.each<[string, Pki]>([
    ['of two levels', { configured: [root], leaf: root.issue() }],
    ['of three, the intermediate configured', { configured: [root, intermediate], leaf: intermediate.issue() }],
    [
      'of three, the intermediate forwarded',
      { configured: [root], leaf: intermediate.issue(), forwarded: [intermediate] },
    ],
    [
      'with the root forwarded as well',
      { configured: [root], leaf: intermediate.issue(), forwarded: [intermediate, root] },
    ],
    ['of seven levels', { configured: [root], leaf: deep.last.issue(), forwarded: deep.cas }],
    [
      'over a cross-signed intermediate to the one anchor',
      { configured: [root, byOther], leaf: byRoot.issue(), forwarded: [byRoot] },
    ],
    [
      'over a cross-signed intermediate to the other',
      { configured: [other, byRoot], leaf: byRoot.issue(), forwarded: [byOther] },
    ],
    [
      'past an expired twin of the intermediate',
      { configured: [root, old], leaf: current.issue(), forwarded: [current] },
    ],
    ['in a wide mesh of CAs with one name', { configured: sameNamed, leaf: (sameNamed.at(-1) ?? root).issue() }],
  ])('%s', (_, pki) => {
    expect(judge(pki)).toMatchObject({ verified: true, reason: expect.stringContaining('path to anchor') });
  });
});

describe('no path is found', () => {
  const expiredRoot = createTestCa({ ...named('Root'), ...expired });
  const old = root.issueIntermediate({ ...named('Old'), ...expired });
  const impostor = createTestCa(named('Root'));
  const short = root.issueIntermediate({ ...named('Short'), pathLength: 0 });
  const below = short.issueIntermediate(named('Below'));
  const forServers = root.issueIntermediate({ ...named('For servers'), eku: 'server' });
  const weak = createTestCa({ ...named('Weak'), keyType: 'rsa-2048' });
  const critical = { oid: '1.3.6.1.4.1.99999.7', critical: true, value: Buffer.of(0x05, 0x00) };
  test.each<[string, Pki, string]>([
    ['to nobody', { configured: [root], leaf: createTestCa(named('X')).issue() }, 'has no known issuer: "CN=X"'],
    [
      'to a CA of the same name',
      { configured: [root], leaf: impostor.issue() },
      'not signed by the key of its issuer "CN=Root" (RFC 5280 §6.1.3 (a)(1))',
    ],
    [
      'to a forwarded root',
      { configured: [root], leaf: impostor.issue(), forwarded: [impostor] },
      'not signed by the key',
    ],
    [
      'to an intermediate that is configured alone',
      { configured: [intermediate], leaf: intermediate.issue() },
      'has no known issuer: "CN=Root"',
    ],
    [
      'over an expired root',
      { configured: [expiredRoot], leaf: expiredRoot.issue() },
      'CA "CN=Root" (1 above the certificate) expired at',
    ],
    [
      'over an expired intermediate',
      { configured: [root, old], leaf: old.issue() },
      'CA "CN=Old" (1 above the certificate) expired at',
    ],
    [
      'beyond a path length',
      { configured: [root, short, below], leaf: below.issue() },
      'CA "CN=Short" (2 above the certificate) allows 0 intermediates below it, and the path has 1 (RFC 5280 §6.1.4 (l))',
    ],
    [
      'over a CA for servers',
      { configured: [root, forServers], leaf: forServers.issue() },
      'may not issue client certificates: its extended key usage lacks clientAuth (RFC 5280 §4.2.1.12)',
    ],
    [
      'over SHA-1',
      { configured: [weak], leaf: weak.issue({ signatureHash: 'SHA-1' }) },
      'an algorithm that is not accepted',
    ],
    [
      'with a critical extension that nobody knows',
      { configured: [root], leaf: root.issue({ extraExtensions: [critical] }) },
      'unknown critical extension: 1.3.6.1.4.1.99999.7',
    ],
  ])('%s', (_, pki, reason) => {
    expect(judge(pki)).toMatchObject({ verified: false, reason: expect.stringContaining(reason) });
  });
});
