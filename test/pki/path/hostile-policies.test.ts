import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { firstViolation } from '../../../src/pki/path/rules.ts';
import { createSearchBudget, PolicySteps } from '../../../src/pki/path/search-budget.ts';
import { chainBelow } from '../../support/ca-chain.ts';
import { type CertificateOptions, createTestCa, type TestCa } from '../../support/certificates.ts';
import type { RawExtension } from '../../support/extensions.ts';
import { anyPolicy, certificatePolicies, policyConstraints, policyMappings } from '../../support/policies.ts';
import { verifyChain } from '../../support/verify-chain.ts';

afterEach(() => vi.restoreAllMocks());

const root = createTestCa({ subject: [['CN', 'Root']] });
const required = policyConstraints({ requireExplicit: 0 });
const numbers = (length: number) => Array.from({ length }, (_, index) => index);
/** Short object identifiers, of which more than 1,500 fit into a certificate. */
const short = (number: number) => `2.5.${number}`;
const policies = (count: number) => numbers(count).map(short);

/** Verifies a chain whose intermediates all have these extensions, and counts the policies and mappings processed. */
function stepsOf(extensions: readonly RawExtension[], leafPolicies: readonly string[], levels = 5) {
  const { cas, last } = chainBelow(
    root,
    numbers(levels).map((level) => ({ subject: [['CN', `CA ${level}`]], extraExtensions: extensions })),
  );
  const spend = vi.spyOn(PolicySteps.prototype, 'spend');
  const leaf = last.issue({ extraExtensions: [certificatePolicies(...leafPolicies)] });
  const { verified, reason } = verifyChain({ configured: [root], forwarded: cas.slice(1), leaf });
  return { verified, reason, steps: spend.mock.calls.reduce((sum, [steps]) => sum + steps, 0) };
}

describe('policies are processed in a number of steps that is linear in their number for', () => {
  test('RFC 9618 §3.1: each of 20 policies mapped to all of them, on five levels (3.2 million paths through the tree)', () => {
    const all = policies(20);
    const product = all.flatMap((issuer) => all.map((subject) => [issuer, subject] as const));
    const { verified, steps } = stepsOf([certificatePolicies(...all), policyMappings(...product), required], all);
    expect(verified).toBe(true);
    // On each level 20 policies, 400 mappings, and the 20 policies that they apply to.
    expect(steps).toBeLessThanOrEqual(5 * (20 + 400 + 20) + 20);
  });

  test('a loop of mappings', () => {
    const loop = [
      [short(1), short(2)],
      [short(2), short(3)],
      [short(3), short(1)],
    ] as const;
    const { verified, steps } = stepsOf([certificatePolicies(short(1)), policyMappings(...loop), required], [short(2)]);
    // Each level maps once: 1 to 2, and the next CA does not have 2.
    expect(verified).toBe(false);
    expect(steps).toBeLessThan(20);
  });

  test('1,500 policies on each level', () => {
    const all = policies(1_500);
    const { verified, steps } = stepsOf([certificatePolicies(...all), required], all);
    expect(verified).toBe(true);
    expect(steps).toBeLessThanOrEqual(6 * 1_500);
  });

  test('anyPolicy below 1,500 policies, so that all stay valid', () => {
    const { cas, last } = chainBelow(root, [
      { subject: [['CN', 'Many']], extraExtensions: [certificatePolicies(...policies(1_500)), required] },
      ...numbers(4).map((level) => ({
        subject: [['CN', `Any ${level}`]] as const,
        extraExtensions: [certificatePolicies(anyPolicy)],
      })),
    ]);
    const spend = vi.spyOn(PolicySteps.prototype, 'spend');
    const leaf = last.issue({ extraExtensions: [certificatePolicies(short(1_499))] });
    expect(verifyChain({ configured: [root], forwarded: cas.slice(1), leaf }).verified).toBe(true);
    expect(spend.mock.calls.reduce((sum, [steps]) => sum + steps, 0)).toBeLessThanOrEqual(1_500 + 5);
  });

  test('none, if no policy is required', () => {
    const { verified, steps } = stepsOf([certificatePolicies(...policies(1_500))], [short(9)]);
    expect(verified).toBe(true);
    expect(steps).toBe(0);
  });
});

describe('a search with many paths', () => {
  const extensions = [certificatePolicies(...policies(1_700)), required];

  /** On each of four levels two certificates of the same CA: 16 paths to the anchor, on which no policy is valid. */
  function mesh(): { forwarded: TestCa[]; last: TestCa } {
    let last = root;
    const forwarded: TestCa[] = [];
    for (const level of numbers(4)) {
      const options: CertificateOptions = { subject: [['CN', `CA ${level}`]], extraExtensions: extensions };
      const one = last.issueIntermediate(options);
      forwarded.push(one, last.issueIntermediate({ ...options, keys: one.keys }));
      last = one;
    }
    return { forwarded, last };
  }

  test('processes at most 100,000 policies, and rejects', () => {
    const { forwarded, last } = mesh();
    const spend = vi.spyOn(PolicySteps.prototype, 'spend');
    const leaf = last.issue({ extraExtensions: [certificatePolicies(short(1_701))] });
    expect(verifyChain({ configured: [root], forwarded, leaf }).verified).toBe(false);
    const within = spend.mock.results.flatMap(({ type }, index) =>
      type === 'return' ? [spend.mock.calls[index]] : [],
    );
    expect(spend.mock.results.some(({ type }) => type === 'throw')).toBe(true);
    expect(within.reduce((sum, [steps] = [0]) => sum + steps, 0)).toBeLessThanOrEqual(100_000);
  });

  test('parses the policies of each certificate once', () => {
    const { forwarded, last } = mesh();
    const policiesOf = vi.spyOn(PolicySteps.prototype, 'policiesOf');
    verifyChain({
      configured: [root],
      forwarded,
      leaf: last.issue({ extraExtensions: [certificatePolicies(short(1))] }),
    });
    const sets = policiesOf.mock.results.map(({ value }) => value);
    expect(sets.length).toBeGreaterThan(20);
    expect(new Set(sets).size).toBeLessThanOrEqual(forwarded.length + 1);
  });

  test('names the limit when it is reached', () => {
    const ca = root.issueIntermediate({ extraExtensions: [certificatePolicies(short(1)), required] });
    const leaf = parseClientCertificate(ca.issue({ extraExtensions: [certificatePolicies(short(1))] }).der);
    const path = { leaf, caCertificates: [ca, root].map(({ der }) => parseCaCertificate(der)) };
    const budget = createSearchBudget();
    budget.policies.spend(100_000);
    expect(firstViolation(path, createSearchBudget())).toBeUndefined();
    expect(firstViolation(path, budget)).toMatchObject({
      problem: expect.stringContaining('cannot be validated: more than 100000 certificate policies to process; '),
    });
  });
});
