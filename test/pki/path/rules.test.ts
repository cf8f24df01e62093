import { describe, expect, test } from 'vitest';
import { chainBelow } from '../../support/ca-chain.ts';
import { type CertificateOptions, createTestCa } from '../../support/certificates.ts';
import { der, integer, objectIdentifier, sequence } from '../../support/der.ts';
import type { RawExtension } from '../../support/extensions.ts';
import { verifyChain } from '../../support/verify-chain.ts';

/** Options for the root, the intermediate and the leaf. */
interface Levels {
  readonly root?: CertificateOptions;
  readonly intermediate?: CertificateOptions;
  readonly leaf?: CertificateOptions;
}

function verifyLevels({ root: anchor = {}, intermediate = {}, leaf = {} }: Levels) {
  const root = createTestCa({ subject: [['CN', 'Root']], ...anchor });
  const ca = root.issueIntermediate({ subject: [['CN', 'Issuing']], ...intermediate });
  return verifyChain({ configured: [root, ca], leaf: ca.issue(leaf) });
}

const accepted = { verified: true };
const rejected = (reason: string) => ({ verified: false, reason: expect.stringContaining(reason) });

describe('a path length of', () => {
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
      rejected('allows 0 intermediates below it, and the path has 1'),
    ],
    ['0 in the intermediate', [named('R'), named('A', 0)], accepted],
    ['1, and one below it', [named('R', 1), named('A')], accepted],
    ['1, and two below it', [named('R', 1), named('A'), named('B')], rejected('CA "CN=R" (3 above the certificate)')],
    ['1, with larger ones below it', [named('R', 1), named('A', 5), named('B', 5)], rejected('CA "CN=R"')],
    ['0, and a self-issued one below it', [named('R'), named('A', 0), named('A')], accepted],
    ['0, and two self-issued ones below it', [named('R'), named('A', 0), named('A'), named('A')], accepted],
    [
      '0, with a self-issued and another CA below it',
      [named('R'), named('A', 0), named('A'), named('B')],
      rejected('allows 0 intermediates'),
    ],
    [
      '0 in a self-issued certificate',
      [named('R'), named('A'), named('A', 0), named('B')],
      rejected('allows 0 intermediates'),
    ],
    ['32,767, the largest that is parsed', [named('R', 32_767), named('A')], accepted],
  ])('%s', (_, [root = {}, ...below], outcome) => {
    expect(chain(root, below)).toMatchObject(outcome);
  });
});

const notForClients = rejected(
  'may not issue client certificates: its extended key usage lacks clientAuth (RFC 5280 §4.2.1.12)',
);

test.each<[string, Levels, object]>([
  ['absent everywhere', { leaf: { eku: 'none' } }, accepted],
  ['absent above clientAuth', { leaf: { eku: 'client' } }, accepted],
  ['clientAuth above clientAuth', { intermediate: { eku: 'client' } }, accepted],
  ['clientAuth above a leaf without it', { intermediate: { eku: 'client' }, leaf: { eku: 'none' } }, accepted],
  ['clientAuth and serverAuth above clientAuth', { intermediate: { eku: 'client+server' } }, accepted],
  ['any above clientAuth', { intermediate: { eku: 'any' } }, accepted],
  ['any above a leaf without it', { intermediate: { eku: 'any' }, leaf: { eku: 'none' } }, accepted],
  ['any in the root', { root: { eku: 'any' } }, accepted],
  ['serverAuth above clientAuth', { intermediate: { eku: 'server' } }, notForClients],
  ['serverAuth above a leaf without it', { intermediate: { eku: 'server' }, leaf: { eku: 'none' } }, notForClients],
  ['serverAuth in the root', { root: { eku: 'server' } }, notForClients],
  ['serverAuth above any', { root: { eku: 'server' }, intermediate: { eku: 'any' } }, notForClients],
])('extended key usage: %s', (_, levels, outcome) => {
  expect(verifyLevels(levels)).toMatchObject(outcome);
});

test.each(['any', 'server'] as const)('extended key usage: only %s in the leaf', (eku) => {
  expect(() => verifyLevels({ leaf: { eku } })).toThrow('its extended key usage lacks clientAuth');
});

test.each<[string, CertificateOptions, object]>([
  ['absent', { keyUsage: [] }, accepted],
  ['digitalSignature', { keyUsage: ['digitalSignature'] }, accepted],
  ['keyAgreement', { keyUsage: ['keyAgreement'] }, accepted],
  ['digitalSignature among others', { keyUsage: ['digitalSignature', 'nonRepudiation', 'keyEncipherment'] }, accepted],
  ['nonRepudiation', { keyUsage: ['nonRepudiation'] }, rejected('its key usage lacks digitalSignature')],
  ['keyEncipherment', { keyUsage: ['keyEncipherment'] }, rejected('(RFC 5280 §4.2.1.3)')],
  ['cRLSign', { keyUsage: ['cRLSign'] }, rejected('its key usage lacks digitalSignature')],
  [
    'keyCertSign',
    { keyUsage: ['digitalSignature', 'keyCertSign'] },
    rejected('is not a CA certificate, but its key usage has'),
  ],
])('key usage of the leaf: %s', (_, leaf, outcome) => {
  expect(verifyLevels({ leaf })).toMatchObject(outcome);
});

const critical = (oid: string, value: Uint8Array): RawExtension => ({ oid, critical: true, value });
const constraints = (...fields: [tag: number, value: number][]) =>
  critical('2.5.29.36', sequence(...fields.map(([tag, value]) => der(tag, Buffer.of(value)))));
const policy = objectIdentifier('2.23.140.1.2.1');
const requiresPolicy = rejected('has no certificate policies; ');
const unknown = critical('1.3.6.1.4.1.99999.7', Buffer.of(0x05, 0));
const unknownCritical = rejected('has an unknown critical extension: 1.3.6.1.4.1.99999.7 (RFC 5280 §4.2)');

const extensionRows: [string, RawExtension, object][] = [
  ['requireExplicitPolicy', constraints([0x80, 0]), requiresPolicy],
  ['requireExplicitPolicy with 5 skipped certificates', constraints([0x80, 5]), accepted],
  ['both policy constraints', constraints([0x80, 0], [0x81, 0]), requiresPolicy],
  ['requireExplicitPolicy, not critical', { ...constraints([0x80, 0]), critical: false }, requiresPolicy],
  ['inhibitPolicyMapping', constraints([0x81, 0]), accepted],
  ['inhibitAnyPolicy', critical('2.5.29.54', integer(0n)), accepted],
  ['policies', critical('2.5.29.32', sequence(sequence(policy))), accepted],
  ['policy mappings', critical('2.5.29.33', sequence(sequence(policy, policy))), accepted],
  ['unknown', unknown, unknownCritical],
  ['unknown, not critical', { ...unknown, critical: false }, accepted],
];

describe.each(['root', 'intermediate', 'leaf'] as const)('extension of the %s:', (level) => {
  test.each(extensionRows)('%s', (_, extension, outcome) => {
    expect(verifyLevels({ [level]: { extraExtensions: [extension] } })).toMatchObject(outcome);
  });

  test.each([
    ['empty policy constraints', constraints()],
    ['an unknown policy constraint', constraints([0x82, 0])],
  ])('%s', (_, extension) => {
    expect(() => verifyLevels({ [level]: { extraExtensions: [extension] } })).toThrow(
      'policy constraints are malformed',
    );
  });
});
