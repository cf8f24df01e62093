import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCertificateFile } from '../../../src/pki/certificate/pem.ts';
import { type CertificateOptions, createTestCa, type TestCa } from '../../support/certificates.ts';
import { der, integer, objectIdentifier, octetString, sequence } from '../../support/der.ts';
import type { RawExtension } from '../../support/extensions.ts';
import {
  anyPolicy,
  certificatePolicies,
  inhibitAnyPolicy,
  policy,
  policyConstraints,
  policyMappings,
} from '../../support/policies.ts';
import { repositoryRoot } from '../../support/repository-root.ts';
import { verifyChain } from '../../support/verify-chain.ts';

/** The policy extensions of a certificate, or the string `self` before them for a self-issued one. */
type Level = readonly (RawExtension | 'self')[];

/** Verifies a chain: the extensions of the anchor, of each intermediate, and of the leaf. */
function verifyLevels(...levels: readonly Level[]) {
  const [top = [], ...below] = levels;
  const cas: TestCa[] = [createTestCa(optionsOf('Root', top))];
  const names = ['Root'];
  for (const [index, level] of below.slice(0, -1).entries()) {
    names.push(level.includes('self') ? (names.at(-1) ?? '') : `CA ${index + 1}`);
    cas.push((cas.at(-1) as TestCa).issueIntermediate(optionsOf(names.at(-1) ?? '', level)));
  }
  const leafLevel = below.at(-1) ?? [];
  const leafName = leafLevel.includes('self') ? (names.at(-1) ?? '') : 'client';
  // Safe: there is at least the anchor.
  const leaf = (cas.at(-1) as TestCa).issue(optionsOf(leafName, leafLevel));
  return verifyChain({ configured: cas, leaf });
}

function optionsOf(CN: string, level: Level): CertificateOptions {
  return { subject: [['CN', CN]], extraExtensions: level.filter((each) => each !== 'self') };
}

const P = (...numbers: readonly number[]) => certificatePolicies(...numbers.map(policy));
const any = certificatePolicies(anyPolicy);
const anyAnd = (...numbers: readonly number[]) => certificatePolicies(anyPolicy, ...numbers.map(policy));
const map = (...pairs: readonly (readonly [number, number])[]) =>
  policyMappings(...pairs.map(([issuer, subject]) => [policy(issuer), policy(subject)] as const));
const required = policyConstraints({ requireExplicit: 0 });
const requiredAfter = (requireExplicit: number) => policyConstraints({ requireExplicit });
const noMappingAfter = (inhibitMapping: number) => policyConstraints({ inhibitMapping });
const noAnyAfter = inhibitAnyPolicy;

const accepted = { verified: true };
const rejected = (reason: string) => ({ verified: false, reason: expect.stringContaining(reason) });
const requiredBy = (CN: string) => `; CA "CN=${CN}" requires a certificate policy (requireExplicitPolicy)`;

describe('a chain whose CA requires a policy is verified', () => {
  test('if the CA and the client have the same one, as in government and federated PKIs', () => {
    const read = (file: string) =>
      parseCertificateFile(readFileSync(join(repositoryRoot, 'test/cases/required-policy', file))).certificates;
    const configured = read('ca.pem').map((each) => ({ der: each }));
    const [leaf] = read('client.pem');
    const during = Date.parse('2026-12-01T00:00:00Z');
    expect(verifyChain({ configured, leaf: { der: leaf } }, during)).toMatchObject(accepted);
  });

  test('and its rejection names the certificate, its policies, and the CA', () => {
    const different = verifyLevels([], [P(1), required], [P(2)]);
    expect(different.reason).toBe(
      'the certificate has only certificate policies that the CAs above it do not allow: 1.3.6.1.4.1.99999.3.2 ' +
        'instead of 1.3.6.1.4.1.99999.3.1; CA "CN=CA 1" requires a certificate policy (requireExplicitPolicy) ' +
        '(RFC 5280 §6.1.5 (g))',
    );
    const many = verifyLevels([], [P(1), required], [P(2, 3, 4, 5, 6)]);
    expect(many.reason).toContain('99999.3.2, 1.3.6.1.4.1.99999.3.3, 1.3.6.1.4.1.99999.3.4 and 2 more instead of');
  });
});

// The rows with a number are about the same rule as that test of NIST's PKITS.
describe('policies:', () => {
  test.each<[string, readonly Level[], object]>([
    ['none are required, and there are none', [[], [], []], accepted],
    ['none are required, and they differ', [[], [P(1)], [P(2)]], accepted],
    ['4.8.1 the same everywhere', [[], [P(1), required], [P(1)]], accepted],
    ['4.8.2 none anywhere', [[required], [], []], rejected(`has no certificate policies${requiredBy('Root')}`)],
    ['4.8.4 none in common', [[], [P(1)], [P(1), required], [P(2)]], rejected(requiredBy('CA 2'))],
    [
      '4.8.5 a different one in the CA that requires one',
      [[], [P(1)], [P(2), required], [P(2)]],
      rejected('CA "CN=CA 2" (1 above the certificate) has only certificate policies that'),
    ],
    ['4.8.6 one in common', [[], [P(1, 2), required], [P(1, 3)], [P(1)]], accepted],
    [
      '4.8.9 a different one in common of each two',
      [[], [P(1, 2, 3), required], [P(1, 2)], [P(2)], [P(1)]],
      rejected(''),
    ],
    ['4.8.11 anyPolicy everywhere', [[], [any, required], [any]], accepted],
    ['4.8.13 several', [[], [P(1, 2, 3), required], [P(3, 2)]], accepted],
    ['4.8.14 anyPolicy above another', [[], [any, required], [P(1)]], accepted],
    ['anyPolicy below another', [[], [P(1), required], [any]], accepted],
    ['anyPolicy between two different ones', [[], [P(1), required], [any], [P(2)]], rejected('99999.3.2 instead of')],
    ['anyPolicy between two equal ones', [[], [P(1), required], [any], [P(1)]], accepted],
    ['anyPolicy and others', [[], [anyAnd(1), required], [P(2)]], accepted],
    ['required by the leaf', [[], [P(1)], [P(1), required]], accepted],
    ['required by the leaf, which has none', [[], [P(1)], [required]], rejected('; its own requireExplicitPolicy')],
    [
      'required by the leaf, and a CA has none',
      [[], [], [P(1), required]],
      rejected('(1 above the certificate) has no certificate policies; the certificate requires a certificate policy'),
    ],
    ['required with a later count of the leaf', [[], [], [requiredAfter(1)]], accepted],
  ])('%s', (_, levels, outcome) => {
    expect(verifyLevels(...levels)).toMatchObject(outcome);
  });
});

describe('requireExplicitPolicy', () => {
  test.each<[string, readonly Level[], object]>([
    ['4.9.1 of 3 above two certificates', [[], [requiredAfter(3)], [], []], accepted],
    ['4.9.3 of 2 above two certificates', [[], [requiredAfter(2)], [], []], rejected('has no certificate policies')],
    ['of 1 above one certificate', [[], [requiredAfter(1)], []], rejected('has no certificate policies')],
    ['4.9.4 of 1 above policies', [[], [P(1), requiredAfter(1)], [P(1)]], accepted],
    ['4.9.5 of 5, lowered by a CA below', [[], [requiredAfter(5)], [requiredAfter(0)], []], rejected('CA 2')],
    ['of 1, raised by a CA below', [[], [requiredAfter(1)], [requiredAfter(9)], []], rejected('CA "CN=CA 1"')],
    ['4.9.6 of 2 above a self-issued CA, which does not count', [[], [requiredAfter(2)], ['self'], []], accepted],
    ['4.9.7 of 2 above a self-issued CA and another', [[], [requiredAfter(2)], ['self'], [], []], rejected('CA 1')],
    ['of 1 above a self-issued leaf, which counts', [[], [requiredAfter(1)], ['self']], rejected('CA 1')],
    ['of 2 above a self-issued leaf, which counts once', [[], [requiredAfter(2)], ['self']], accepted],
    ['of 2^64', [[], [constraint([0x80, Buffer.from('010000000000000000', 'hex')])], []], accepted],
  ])('%s', (_, levels, outcome) => {
    expect(verifyLevels(...levels)).toMatchObject(outcome);
  });
});

describe('a policy mapping', () => {
  test.each<[string, readonly Level[], object]>([
    ['4.10.1 above its subject policy', [[], [P(1), map([1, 2]), required], [P(2)]], accepted],
    ['4.10.2 above its issuer policy', [[], [P(1), map([1, 2]), required], [P(1)]], rejected('3.1 instead of')],
    ['4.10.3 in two steps', [[], [P(1), map([1, 2]), required], [P(2), map([2, 3])], [P(3)]], accepted],
    ['4.10.5 of one to several', [[], [P(1), map([1, 2], [1, 3]), required], [P(3)]], accepted],
    ['of several to one', [[], [P(1, 2), map([1, 3], [2, 3]), required], [P(3)]], accepted],
    ['of two to each other', [[], [P(1), map([1, 2], [2, 1]), required], [P(2)]], accepted],
    ['of one to itself and another', [[], [P(1), map([1, 1], [1, 2]), required], [P(1)]], accepted],
    ['of another policy', [[], [P(1), map([3, 2]), required], [P(1)]], accepted],
    ['of a policy that the CA does not have', [[], [P(1), map([3, 2]), required], [P(2)]], rejected('3.2 instead of')],
    ['4.10.9 of a policy that anyPolicy stands for', [[], [any, required], [any, map([1, 2])], [P(2)]], accepted],
    ['4.10.10 the same below one', [[], [P(1), required], [any, map([1, 2])], [P(1)]], rejected('3.1 instead of')],
    ['of a leaf, which has no meaning', [[], [P(1), required, noMappingAfter(0)], [P(1), map([1, 2])]], accepted],
    [
      '4.11.1 if inhibited above it',
      [[], [P(1, 2), required], [P(1), noMappingAfter(0)], [P(1), map([1, 2])], [P(2)]],
      rejected('CA "CN=CA 3" (1 above the certificate) maps all of its policies, which a CA above it inhibits'),
    ],
    [
      'of other policies, if inhibited',
      [[], [P(1, 2), required, noMappingAfter(0)], [P(1, 2), map([2, 3])], [P(1)]],
      accepted,
    ],
    ['4.11.2 if inhibited later', [[], [P(1), required, noMappingAfter(1)], [P(1), map([1, 2])], [P(2)]], accepted],
    [
      '4.11.3 if inhibited by then',
      [[], [P(1), required, noMappingAfter(1)], [P(1)], [P(1), map([1, 2])], [P(2)]],
      rejected('CA 3'),
    ],
    [
      '4.11.7 of a self-issued CA, if inhibited after one',
      [[], [P(1), required, noMappingAfter(1)], ['self', P(1)], [P(1), map([1, 2])], [P(2)]],
      accepted,
    ],
    ['of a CA that inhibits those below it', [[], [P(1), required, noMappingAfter(0), map([1, 2])], [P(2)]], accepted],
  ])('%s', (_, levels, outcome) => {
    // One extension has both constraints.
    expect(verifyLevels(...levels.map(mergeConstraints))).toMatchObject(outcome);
  });

  test.each([
    ['from', [anyPolicy, policy(1)]],
    ['to', [policy(1), anyPolicy]],
  ] as const)('4.10.7, 4.10.8 %s anyPolicy is rejected, whether a policy is required or not', (_, pair) => {
    const expected = 'maps a policy to or from anyPolicy (RFC 5280 §6.1.4 (a))';
    expect(() => verifyLevels([], [P(1), policyMappings(pair)], [P(1)])).toThrow(expected);
  });
});

describe('inhibitAnyPolicy', () => {
  test.each<[string, readonly Level[], object]>([
    [
      '4.12.1 of 0 above anyPolicy',
      [[], [P(1), required, noAnyAfter(0)], [any]],
      rejected('the certificate has only anyPolicy, which a CA above it inhibits (inhibitAnyPolicy)'),
    ],
    ['4.12.2 of 0 above anyPolicy and another', [[], [P(1), required, noAnyAfter(0)], [anyAnd(1)]], accepted],
    [
      'of 0 above anyPolicy and a different one',
      [[], [P(1), required, noAnyAfter(0)], [anyAnd(2)]],
      rejected('3.2 instead'),
    ],
    ['of 0 in a CA with anyPolicy', [[], [any, required, noAnyAfter(0)], [P(2)]], accepted],
    [
      '4.12.3 of 1 above anyPolicy twice',
      [[], [P(1), required, noAnyAfter(1)], [any], [any]],
      rejected('only anyPolicy'),
    ],
    ['of 1 above anyPolicy once', [[], [P(1), required, noAnyAfter(1)], [any], [P(1)]], accepted],
    [
      'of 9 above one of 0',
      [[], [P(1), required, noAnyAfter(9)], [P(1), noAnyAfter(0)], [any]],
      rejected('only anyPolicy'),
    ],
    [
      '4.12.7 of 0 above a self-issued CA, which is exempt',
      [[], [P(1), required, noAnyAfter(0)], ['self', any], [P(1)]],
      accepted,
    ],
    [
      '4.12.10 of 0 above a self-issued leaf, which is not exempt',
      [[], [P(1), required, noAnyAfter(0)], ['self', any]],
      rejected('only anyPolicy'),
    ],
    [
      'of 0 above a mapping from anyPolicy',
      [[], [any, required, noAnyAfter(0)], [any, map([1, 2])], [P(2)]],
      rejected('only anyPolicy'),
    ],
    ['of 0, and no policy is required', [[], [noAnyAfter(0)], [any]], accepted],
  ])('%s', (_, levels, outcome) => {
    expect(verifyLevels(...levels)).toMatchObject(outcome);
  });
});

describe('the policy extensions of an anchor apply like those of a CA:', () => {
  test.each<[string, readonly Level[], object]>([
    ['none', [[], [any, required], [P(1)]], accepted],
    ['a policy that the chain has', [[P(1)], [P(1), required], [P(1)]], accepted],
    [
      'a policy that the chain lacks',
      [[P(1)], [P(2), required], [P(2)]],
      rejected('3.2 instead of 1.3.6.1.4.1.99999.3.1'),
    ],
    ['anyPolicy', [[any], [P(2), required], [P(2)]], accepted],
    ['requireExplicitPolicy', [[required], [P(1)], [P(1)]], accepted],
    ['requireExplicitPolicy of 1 above one certificate', [[requiredAfter(1)], []], rejected(requiredBy('Root'))],
    ['requireExplicitPolicy of 2 above one certificate', [[requiredAfter(2)], []], accepted],
    ['a mapping', [[P(1), map([1, 2])], [P(2), required], [P(2)]], accepted],
    [
      'inhibitAnyPolicy',
      [[required, noAnyAfter(0)], [any], [any]],
      rejected('CA "CN=CA 1" (1 above the certificate) has only anyPolicy'),
    ],
    [
      'inhibitPolicyMapping',
      [[noMappingAfter(0)], [P(1), map([1, 2]), required], [P(2)]],
      rejected('maps all of its policies'),
    ],
  ])('%s', (_, levels, outcome) => {
    expect(verifyLevels(...levels)).toMatchObject(outcome);
  });
});

const policies = (value: Uint8Array, critical = false): RawExtension => ({ oid: '2.5.29.32', value, critical });
const p1 = objectIdentifier(policy(1));
const cps = sequence(objectIdentifier('1.3.6.1.5.5.7.2.1'), der(0x16, Buffer.from('https://cps.example')));
const malformedPolicies: [string, Uint8Array, string][] = [
  ['is empty', sequence(), 'not a SEQUENCE of at least one policy'],
  ['is not a SEQUENCE', p1, 'not a SEQUENCE of at least one policy'],
  ['lists a policy that is not a SEQUENCE', sequence(p1), 'a policy that is not an object identifier with optional'],
  ['lists a policy without an identifier', sequence(sequence()), 'a policy that is not an object identifier'],
  ['lists a policy with a third field', sequence(sequence(p1, sequence(cps), sequence())), 'a policy that is not'],
  ['lists qualifiers that are not a SEQUENCE', sequence(sequence(p1, octetString(cps))), 'a policy that is not'],
  ['lists a policy twice', sequence(sequence(p1), sequence(p1)), 'policy 1.3.6.1.4.1.99999.3.1 appears twice'],
];

describe('certificatePolicies that', () => {
  describe.each(malformedPolicies)('%s', (_, value, problem) => {
    const reason = `its certificate policies are malformed: ${problem}`;
    test('reject the path if a policy is required', () => {
      expect(verifyLevels([], [any, required], [policies(value)])).toMatchObject(rejected(reason));
      expect(verifyLevels([], [policies(value), required], [any])).toMatchObject(rejected(reason));
    });
    test('reject the path if they are critical, since they cannot be processed', () => {
      expect(verifyLevels([], [], [policies(value, true)])).toMatchObject(rejected(reason));
      expect(verifyLevels([], [policies(value, true)], [])).toMatchObject(rejected(reason));
      expect(verifyLevels([policies(value, true)], [], [])).toMatchObject(rejected(`${problem}`));
    });
    test('are ignored if they are not critical, and no policy is required', () => {
      expect(verifyLevels([], [policies(value)], [policies(value)])).toMatchObject(accepted);
    });
  });

  test('have qualifiers are processed, critical or not', () => {
    const qualified = sequence(sequence(p1, sequence(cps, sequence(objectIdentifier('1.2.3'), octetString(p1)))));
    for (const critical of [true, false]) {
      expect(verifyLevels([], [P(1), required], [policies(qualified, critical)])).toMatchObject(accepted);
    }
  });
});

function constraint(...fields: [tag: number, content: Uint8Array][]): RawExtension {
  return { oid: '2.5.29.36', critical: true, value: sequence(...fields.map(([tag, content]) => der(tag, content))) };
}

const raw = (oid: string, value: Uint8Array): RawExtension => ({ oid, critical: true, value });

test.each<[string, RawExtension, string]>([
  ['empty policyConstraints', constraint(), 'malformed: neither requireExplicitPolicy nor inhibitPolicyMapping'],
  [
    'policyConstraints that are not a SEQUENCE',
    raw('2.5.29.36', integer(0n)),
    'its policy constraints are malformed: not a',
  ],
  [
    'an unknown policy constraint',
    constraint([0x82, Buffer.of(0)]),
    'malformed: an unknown field (RFC 5280 §4.2.1.11)',
  ],
  [
    'a repeated policy constraint',
    constraint([0x80, Buffer.of(0)], [0x80, Buffer.of(1)]),
    'malformed: a repeated field',
  ],
  [
    'policyConstraints out of order',
    constraint([0x81, Buffer.of(0)], [0x80, Buffer.of(1)]),
    'fields in the wrong order',
  ],
  ['a negative skip count', constraint([0x80, Buffer.of(0xff)]), 'malformed: a negative count'],
  ['a skip count without a value', constraint([0x80, Buffer.of()]), 'malformed: a count without a value'],
  ['a padded skip count', constraint([0x81, Buffer.of(0, 1)]), 'malformed: a count that is not minimally encoded'],
  [
    'a negative inhibitAnyPolicy',
    raw('2.5.29.54', der(0x02, Buffer.of(0x80))),
    'inhibitAnyPolicy is malformed: a negative',
  ],
  [
    'inhibitAnyPolicy that is not an INTEGER',
    raw('2.5.29.54', sequence()),
    'inhibitAnyPolicy is malformed: not an INTEGER',
  ],
  [
    'empty policyMappings',
    raw('2.5.29.33', sequence()),
    'its policy mappings are malformed: not a SEQUENCE of at least',
  ],
  [
    'half a policy mapping',
    raw('2.5.29.33', sequence(sequence(p1))),
    'a mapping that is not a pair of object identifiers',
  ],
])('%s in a CA certificate are rejected, even if no policy is required', (_, extension, reason) => {
  expect(() => verifyLevels([], [extension], [])).toThrow(reason);
});

test.each([
  ['policyMappings', raw('2.5.29.33', p1)],
  ['inhibitAnyPolicy', raw('2.5.29.54', p1)],
])('%s in a leaf have no meaning, and are ignored', (_, extension) => {
  expect(verifyLevels([], [P(1), required], [P(1), extension])).toMatchObject(accepted);
});

test('any bytes in a policy extension give a result or a reason', () => {
  const root = createTestCa({ subject: [['CN', 'Root']] });
  const valid = [P(1), map([1, 2]), required, noMappingAfter(1), noAnyAfter(1)];
  const extension = fc
    .tuple(fc.constantFrom(...valid), fc.nat(60), fc.nat(255), fc.boolean())
    .map(([{ oid, value }, index, byte, critical]) => ({ oid, critical, value: changedByte(value, index, byte) }));
  const property = fc.property(extension, (changed) => {
    const ca = root.issueIntermediate({ subject: [['CN', 'CA']], extraExtensions: [changed] });
    const { reason } = verifyChain({ configured: [root], forwarded: [ca], leaf: ca.issue() });
    expect(reason).toMatch(/^path to anchor|polic/i);
  });
  fc.assert(property, { numRuns: 200, seed: 1 });
});

function changedByte(bytes: Uint8Array, index: number, byte: number): Uint8Array {
  return bytes.with(index % bytes.length, byte);
}

/** Merges requireExplicitPolicy and inhibitPolicyMapping of a level, since an extension occurs once. */
function mergeConstraints(level: Level): Level {
  const [first, second] = level.filter((each) => each !== 'self' && each.oid === '2.5.29.36') as RawExtension[];
  if (!first || !second) return level;
  const merged = constraint([0x80, Buffer.of(first.value.at(-1) ?? 0)], [0x81, Buffer.of(second.value.at(-1) ?? 0)]);
  return [...level.filter((each) => each !== first && each !== second), merged];
}
