import { describe, expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import type { PeerCertificate } from '../../src/terminator/peer-certificate.ts';
import type { ProxyCertificateRule } from '../../src/terminator/proxy-certificate.ts';
import { parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import { digestProxySecret, type Peer, type ProxyTrust, untrustedReason } from '../../src/terminator/trusted-proxy.ts';

const [first, second] = ['the-first-secret-of-the-two-0123456789', 'the-second-secret-of-the-two-012345678'];
const header = 'X-Countersign-Proxy-Secret';
const notBefore = Date.UTC(2026, 0, 1);
const notAfter = Date.UTC(2026, 11, 31, 23, 59, 59);
const valid = {
  kind: 'certificate',
  thumbprint: 'the-proxy',
  names: ['dns:gw.internal', 'uri:spiffe://mesh/gw'],
  notBefore,
  notAfter,
  chainError: undefined,
  issuers: ['the-intermediate', 'the-root'],
} as const satisfies PeerCertificate;

const pinned: ProxyCertificateRule = { kind: 'pinned', thumbprints: new Set(['another', 'the-proxy']) };
const named: ProxyCertificateRule = { kind: 'named', names: new Set(['dns:gw.internal', 'dns:gw2.internal']) };
const remaining = (root: string): ProxyCertificateRule => ({ ...named, remainingRoots: new Set([root]) });
const trust = (more: Partial<ProxyTrust>): ProxyTrust => ({
  trustedAddresses: parseTrustedAddresses().addresses,
  proxySecretDigests: [],
  proxyCertificateRules: [],
  ...more,
});
const over = (certificate: PeerCertificate, now = notBefore, address = '127.0.0.1'): Peer => ({
  kind: 'tls',
  address,
  certificate,
  now,
});

const noFields = new HeaderFields([]);

describe('during a rotation with two proxy secrets', () => {
  const both = trust({ proxySecretDigests: [first, second].map(digestProxySecret) });
  const reasonFor = (...values: string[]) =>
    untrustedReason({ kind: 'unix' }, new HeaderFields(values.flatMap((value) => [header, value])), both)?.reason;

  test.each([first, second])('%s is accepted', (secret) => expect(reasonFor(secret)).toBeUndefined());

  test.each([
    ['none', []],
    ['an empty one', ['']],
    ['both as one', [`${first} ${second}`]],
    ['both', [first, second]],
    ['one of them twice', [first, first]],
    ['the start of one', [first.slice(0, -1)]],
    ['its digest', [digestProxySecret(first).toString('hex')]],
    ['another', [first.replace('first', 'third')]],
  ])('%s is rejected', (_, values) => expect(reasonFor(...values)).toMatch(/^(the proxy sent no )?x-countersign/));
});

describe('the proxy certificate', () => {
  test.each<[string, PeerCertificate, ProxyCertificateRule[], number?]>([
    ['is not required', { kind: 'none' }, []],
    ['is not required, and would be rejected', { kind: 'unacceptable', reason: 'x' }, []],
    ['is not required, and has expired', valid, [], notAfter + 1_000],
    ['is pinned', valid, [pinned]],
    [
      'is pinned, regardless of its issuer',
      { ...valid, names: [], chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      [pinned],
    ],
    ['is named', valid, [named]],
    ['is both', valid, [pinned, named]],
    ['is in its last second', valid, [pinned, named], notAfter + 999],
    ['was verified against a root that remains', valid, [remaining('the-root')], notBefore],
  ])('is accepted if it %s', (_, presented, proxyCertificateRules, now) => {
    expect(untrustedReason(over(presented, now), noFields, trust({ proxyCertificateRules }))).toBeUndefined();
  });

  test.each<[string, PeerCertificate, ProxyCertificateRule[], string, number?]>([
    ['is absent', { kind: 'none' }, [pinned], 'presented no certificate'],
    ['is absent, named', { kind: 'none' }, [named], 'presented no certificate'],
    ['is unacceptable', { kind: 'unacceptable', reason: 'is odd' }, [pinned], 'the proxy certificate is odd'],
    ['is another', { ...valid, thumbprint: 'x' }, [pinned], 'is not in COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS'],
    [
      'is another with the same name',
      { ...valid, thumbprint: 'x' },
      [named, pinned],
      'is not in COUNTERSIGN_PROXY_CERT',
    ],
    ['is not verified', { ...valid, chainError: 'X' }, [named], 'does not verify against COUNTERSIGN_PROXY_CA_FILE: X'],
    ['is not verified, but pinned', { ...valid, chainError: 'X' }, [pinned, named], 'does not verify against'],
    ['was verified against a root that is gone', valid, [remaining('another')], 'no longer contains'],
    ['has no names', { ...valid, names: [] }, [named], 'is issued for no DNS name or URI'],
    ['has another name', { ...valid, names: ['uri:gw.internal'] }, [named], 'is issued for uri:gw.internal, but'],
    ['has another name, but is pinned', { ...valid, names: ['dns:x'] }, [pinned, named], 'is issued for dns:x, but'],
    ['is not valid yet', valid, [pinned], 'is not valid before 2026-01-01T00:00:00.000Z', notBefore - 1],
    ['has expired', valid, [named], 'expired at 2026-12-31T23:59:59.000Z', notAfter + 1_000],
    ['has an invalid date', { ...valid, notAfter: Number.NaN }, [pinned], 'invalid validity period'],
    ['is presented at an invalid time', valid, [pinned], 'invalid validity period', Number.NaN],
  ])('is rejected if it %s', (_, presented, proxyCertificateRules, reason, now) => {
    expect(untrustedReason(over(presented, now), noFields, trust({ proxyCertificateRules }))?.reason).toContain(reason);
  });

  test('can be presented only over TLS', () => {
    const peers = [{ kind: 'unix' }, { kind: 'address', address: '127.0.0.1' }] as const;
    for (const peer of peers)
      expect(untrustedReason(peer, noFields, trust({ proxyCertificateRules: [pinned] }))?.reason).toContain('no cert');
  });

  test('does not fill the log with ten thousand names', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `dns:${index}.internal`);
    expect(
      untrustedReason(over({ ...valid, names }), noFields, trust({ proxyCertificateRules: [named] }))?.reason.length,
    ).toBeLessThan(400);
  });
});

test('a proxy must meet every condition, and the reason names the first that fails', () => {
  const all = trust({ proxySecretDigests: [digestProxySecret(first)], proxyCertificateRules: [pinned, named] });
  const reasonFor = (peer: Peer, secret: string) =>
    untrustedReason(peer, new HeaderFields([header, secret]), all)?.reason;
  expect(reasonFor(over(valid), first)).toBeUndefined();
  expect(reasonFor(over(valid), second)).toContain('does not match');
  expect(reasonFor(over({ kind: 'none' }), second)).toContain('presented no certificate');
  expect(reasonFor(over(valid, notBefore, '192.0.2.1'), second)).toContain('192.0.2.1');
});
