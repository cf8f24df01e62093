import { describe, expect, test } from 'vitest';
import type { PeerCertificate } from '../../src/terminator/peer-certificate.ts';
import type { ProxyCertificateRule } from '../../src/terminator/proxy-certificate.ts';
import { parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import { digestProxySecret, type Peer, type ProxyTrust, untrustedReason } from '../../src/terminator/trusted-proxy.ts';

const [first, second] = ['the-first-secret-of-the-two-0123456789', 'the-second-secret-of-the-two-012345678'];
const header = 'X-Countersign-Proxy-Secret';
const notBefore = Date.UTC(2026, 0, 1);
const notAfter = Date.UTC(2026, 11, 31, 23, 59, 59);
const sound = {
  kind: 'certificate',
  thumbprint: 'the-proxy',
  names: ['dns:gw.internal', 'uri:spiffe://mesh/gw'],
  notBefore,
  notAfter,
  chainError: undefined,
} as const satisfies PeerCertificate;

const pinned: ProxyCertificateRule = { kind: 'pinned', thumbprints: new Set(['another', 'the-proxy']) };
const named: ProxyCertificateRule = { kind: 'named', names: new Set(['dns:gw.internal', 'dns:gw2.internal']) };
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

describe('two secrets', () => {
  const both = trust({ proxySecretDigests: [first, second].map(digestProxySecret) });
  const reasonFor = (...values: string[]) =>
    untrustedReason(
      { kind: 'unix' },
      values.flatMap((value) => [header, value]),
      both,
    );

  test.each([first, second])('%s is one of them', (secret) => expect(reasonFor(secret)).toBeUndefined());

  test.each([
    ['none', []],
    ['an empty one', ['']],
    ['both as one', [`${first} ${second}`]],
    ['both', [first, second]],
    ['one of them twice', [first, first]],
    ['the start of one', [first.slice(0, -1)]],
    ['its digest', [digestProxySecret(first).toString('hex')]],
    ['another', [first.replace('first', 'third')]],
  ])('%s is none of them', (_, values) => expect(reasonFor(...values)).toMatch(/^(the proxy sent no )?x-countersign/));
});

describe("the proxy's own certificate", () => {
  test.each<[string, PeerCertificate, ProxyCertificateRule[], number?]>([
    ['is not asked for', { kind: 'none' }, []],
    ['is not asked for, and would be refused', { kind: 'unacceptable', reason: 'x' }, []],
    ['is not asked for, and has expired', sound, [], notAfter + 1_000],
    ['is pinned', sound, [pinned]],
    ['is pinned, whoever signed it', { ...sound, names: [], chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, [pinned]],
    ['is named', sound, [named]],
    ['is both', sound, [pinned, named]],
    ['is in its last second', sound, [pinned, named], notAfter + 999],
  ])('%s', (_, shown, proxyCertificateRules, now) => {
    expect(untrustedReason(over(shown, now), [], trust({ proxyCertificateRules }))).toBeUndefined();
  });

  test.each<[string, PeerCertificate, ProxyCertificateRule[], string, number?]>([
    ['is absent', { kind: 'none' }, [pinned], 'presented no certificate'],
    ['is absent, named', { kind: 'none' }, [named], 'presented no certificate'],
    ['is unacceptable', { kind: 'unacceptable', reason: 'is odd' }, [pinned], 'the proxy certificate is odd'],
    ['is another', { ...sound, thumbprint: 'x' }, [pinned], 'is not in COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS'],
    ['is another of the name', { ...sound, thumbprint: 'x' }, [named, pinned], 'is not in COUNTERSIGN_PROXY_CERT'],
    ['is not verified', { ...sound, chainError: 'X' }, [named], 'does not verify against COUNTERSIGN_PROXY_CA_FILE: X'],
    ['is not verified, but pinned', { ...sound, chainError: 'X' }, [pinned, named], 'does not verify against'],
    ['names nobody', { ...sound, names: [] }, [named], 'is issued for no DNS name or URI'],
    ['names another', { ...sound, names: ['uri:gw.internal'] }, [named], 'is issued for uri:gw.internal, but'],
    ['names another, but is pinned', { ...sound, names: ['dns:x'] }, [pinned, named], 'is issued for dns:x, but'],
    ['is early', sound, [pinned], 'is not valid before 2026-01-01T00:00:00.000Z', notBefore - 1],
    ['is late', sound, [named], 'expired at 2026-12-31T23:59:59.000Z', notAfter + 1_000],
    ['has no dates', { ...sound, notAfter: Number.NaN }, [pinned], 'invalid validity period'],
    ['comes at no time', sound, [pinned], 'invalid validity period', Number.NaN],
  ])('%s', (_, shown, proxyCertificateRules, reason, now) => {
    expect(untrustedReason(over(shown, now), [], trust({ proxyCertificateRules }))).toContain(reason);
  });

  test('cannot come over anything but TLS', () => {
    const peers = [{ kind: 'unix' }, { kind: 'address', address: '127.0.0.1' }] as const;
    for (const peer of peers)
      expect(untrustedReason(peer, [], trust({ proxyCertificateRules: [pinned] }))).toContain('no cert');
  });

  test('with ten thousand names makes no long line of the log', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `dns:${index}.internal`);
    expect(
      untrustedReason(over({ ...sound, names }), [], trust({ proxyCertificateRules: [named] }))?.length,
    ).toBeLessThan(400);
  });
});

test('all of it must hold, and the first that does not is told', () => {
  const all = trust({ proxySecretDigests: [digestProxySecret(first)], proxyCertificateRules: [pinned, named] });
  const reasonFor = (peer: Peer, secret: string) => untrustedReason(peer, [header, secret], all);
  expect(reasonFor(over(sound), first)).toBeUndefined();
  expect(reasonFor(over(sound), second)).toContain('does not match');
  expect(reasonFor(over({ kind: 'none' }), second)).toContain('presented no certificate');
  expect(reasonFor(over(sound, notBefore, '192.0.2.1'), second)).toContain('192.0.2.1');
});
