import { describe, expect, test } from 'vitest';
import { chainBelow } from '../../support/ca-chain.ts';
import { type CertificateOptions, createTestCa } from '../../support/certificates.ts';
import { der, integer, objectIdentifier, sequence } from '../../support/der.ts';
import type { RawExtension } from '../../support/extensions.ts';
import { verifyChain } from '../../support/verify-chain.ts';

/** Root, intermediate and leaf, with these options each. */
interface Levels {
  readonly root?: CertificateOptions;
  readonly intermediate?: CertificateOptions;
  readonly leaf?: CertificateOptions;
}

function judge({ root: anchor = {}, intermediate = {}, leaf = {} }: Levels) {
  const root = createTestCa({ subject: [['CN', 'Root']], ...anchor });
  const ca = root.issueIntermediate({ subject: [['CN', 'Issuing']], ...intermediate });
  return verifyChain({ configured: [root, ca], leaf: ca.issue(leaf) });
}

const accepted = { verified: true };
const refused = (reason: string) => ({ verified: false, reason: expect.stringContaining(reason) });

describe('path length', () => {
  const named = (CN: string, pathLength?: number) => ({
    subject: [['CN', CN]] as const,
    ...(pathLength === undefined ? {} : { pathLength }),
  });
  function chain(root: CertificateOptions, below: readonly CertificateOptions[]) {
    const { cas, last } = chainBelow(createTestCa(root), below);
    return verifyChain({ configured: cas, leaf: last.issue() });
  }
  test.each<[string, CertificateOptions[], object]>([
    ['0, and the leaf below it', [named('R', 0)], accepted],
    [
      '0, and a CA below it',
      [named('R', 0), named('A')],
      refused('allows 0 intermediates below it, and the path has 1'),
    ],
    ['0 of the intermediate', [named('R'), named('A', 0)], accepted],
    ['1, and one below it', [named('R', 1), named('A')], accepted],
    ['1, and two below it', [named('R', 1), named('A'), named('B')], refused('CA "CN=R" (3 above the certificate)')],
    ['one below that promises more', [named('R', 1), named('A', 5), named('B', 5)], refused('CA "CN=R"')],
    ['0, and a self-issued one below it', [named('R'), named('A', 0), named('A')], accepted],
    ['0, and two self-issued ones below it', [named('R'), named('A', 0), named('A'), named('A')], accepted],
    [
      '0, a self-issued one and another',
      [named('R'), named('A', 0), named('A'), named('B')],
      refused('allows 0 intermediates'),
    ],
    [
      '0 of the self-issued one',
      [named('R'), named('A'), named('A', 0), named('B')],
      refused('allows 0 intermediates'),
    ],
    ['the largest that is read', [named('R', 32_767), named('A')], accepted],
  ])('%s', (_, [root = {}, ...below], outcome) => {
    expect(chain(root, below)).toMatchObject(outcome);
  });
});

const notForClients = refused(
  'may not issue client certificates: its extended key usage lacks clientAuth (RFC 5280 §4.2.1.12)',
);

test.each<[string, Levels, object]>([
  ['none anywhere', { leaf: { eku: 'none' } }, accepted],
  ['none above clientAuth', { leaf: { eku: 'client' } }, accepted],
  ['clientAuth above it', { intermediate: { eku: 'client' } }, accepted],
  ['clientAuth above none', { intermediate: { eku: 'client' }, leaf: { eku: 'none' } }, accepted],
  ['both above it', { intermediate: { eku: 'client+server' } }, accepted],
  ['any above it', { intermediate: { eku: 'any' } }, accepted],
  ['any above none', { intermediate: { eku: 'any' }, leaf: { eku: 'none' } }, accepted],
  ['any of the root', { root: { eku: 'any' } }, accepted],
  ['serverAuth above it', { intermediate: { eku: 'server' } }, notForClients],
  ['serverAuth above none', { intermediate: { eku: 'server' }, leaf: { eku: 'none' } }, notForClients],
  ['serverAuth of the root', { root: { eku: 'server' } }, notForClients],
  ['serverAuth above any', { root: { eku: 'server' }, intermediate: { eku: 'any' } }, notForClients],
])('extended key usage: %s', (_, levels, outcome) => {
  expect(judge(levels)).toMatchObject(outcome);
});

test.each(['any', 'server'] as const)('extended key usage: %s alone of a leaf', (eku) => {
  expect(() => judge({ leaf: { eku } })).toThrow('its extended key usage lacks clientAuth');
});

test.each<[string, CertificateOptions, object]>([
  ['none', { keyUsage: [] }, accepted],
  ['digitalSignature', { keyUsage: ['digitalSignature'] }, accepted],
  ['keyAgreement', { keyUsage: ['keyAgreement'] }, accepted],
  ['more than that', { keyUsage: ['digitalSignature', 'nonRepudiation', 'keyEncipherment'] }, accepted],
  ['nonRepudiation', { keyUsage: ['nonRepudiation'] }, refused('its key usage lacks digitalSignature')],
  ['keyEncipherment', { keyUsage: ['keyEncipherment'] }, refused('(RFC 5280 §4.2.1.3)')],
  ['cRLSign', { keyUsage: ['cRLSign'] }, refused('its key usage lacks digitalSignature')],
  [
    'keyCertSign',
    { keyUsage: ['digitalSignature', 'keyCertSign'] },
    refused('is not a CA certificate, but its key usage has'),
  ],
])('key usage of a leaf: %s', (_, leaf, outcome) => {
  expect(judge({ leaf })).toMatchObject(outcome);
});

const critical = (oid: string, value: Uint8Array): RawExtension => ({ oid, critical: true, value });
const constraints = (...fields: [tag: number, value: number][]) =>
  critical('2.5.29.36', sequence(...fields.map(([tag, value]) => der(tag, Buffer.of(value)))));
const policy = objectIdentifier('2.23.140.1.2.1');
const demands = refused('requires a certificate policy (requireExplicitPolicy), and policies are not supported');
const unknown = critical('1.3.6.1.4.1.99999.7', Buffer.of(0x05, 0));
const notRead = refused('has an unknown critical extension: 1.3.6.1.4.1.99999.7 (RFC 5280 §4.2)');

const extensionRows: [string, RawExtension, object][] = [
  ['requireExplicitPolicy', constraints([0x80, 0]), demands],
  ['requireExplicitPolicy, later', constraints([0x80, 5]), demands],
  ['both policy constraints', constraints([0x80, 0], [0x81, 0]), demands],
  ['requireExplicitPolicy, not critical', { ...constraints([0x80, 0]), critical: false }, demands],
  ['inhibitPolicyMapping', constraints([0x81, 0]), accepted],
  ['inhibitAnyPolicy', critical('2.5.29.54', integer(0n)), accepted],
  ['policies', critical('2.5.29.32', sequence(sequence(policy))), accepted],
  ['policy mappings', critical('2.5.29.33', sequence(sequence(policy, policy))), accepted],
  ['unknown', unknown, notRead],
  ['unknown, not critical', { ...unknown, critical: false }, accepted],
];

describe.each(['root', 'intermediate', 'leaf'] as const)('extension of the %s:', (level) => {
  test.each(extensionRows)('%s', (_, extension, outcome) => {
    expect(judge({ [level]: { extraExtensions: [extension] } })).toMatchObject(outcome);
  });

  test.each([
    ['no policy constraint', constraints()],
    ['an unknown policy constraint', constraints([0x82, 0])],
  ])('%s', (_, extension) => {
    expect(() => judge({ [level]: { extraExtensions: [extension] } })).toThrow('policy constraints are malformed');
  });
});
