import fc from 'fast-check';
import { createTestCa, type MintedCertificate, type TestCa } from '../../../support/certificates.ts';
import type { RawExtension } from '../../../support/extensions.ts';
import { type KeyPair, keyPair } from '../../../support/keys.ts';
import {
  anyPolicy,
  certificatePolicies,
  inhibitAnyPolicy,
  policy,
  policyConstraints,
  policyMappings,
} from '../../../support/policies.ts';

/** The policy extensions of one certificate; undefined: without the extension. */
interface PolicyPlan {
  readonly policies: readonly string[] | undefined;
  readonly mappings: readonly (readonly [string, string])[];
  readonly requireExplicit: number | undefined;
  readonly inhibitMapping: number | undefined;
  readonly inhibitAny: number | undefined;
  /** Whether a CA has the name of its issuer. */
  readonly isSelfIssued: boolean;
}

/** The anchor, the intermediates below it, and the leaf. */
export type PolicyChainPlan = readonly PolicyPlan[];

/** Few, so that the certificates of a chain often share some. */
const somePolicy = fc.constantFrom(policy(1), policy(2), policy(3));
const policies = fc.oneof(
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 8, arbitrary: fc.uniqueArray(fc.oneof(somePolicy, fc.constant(anyPolicy)), { minLength: 1 }) },
  { weight: 3, arbitrary: fc.constant([anyPolicy]) },
);
const rarely = <Value>(weight: number, arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const skipCount = fc.constantFrom(0, 0, 1, 2, 3);

const level = fc.record<PolicyPlan>({
  policies,
  mappings: rarely(1, fc.array(fc.tuple(somePolicy, somePolicy), { minLength: 1, maxLength: 4 })).map(
    (pairs) => pairs ?? [],
  ),
  requireExplicit: rarely(2, skipCount),
  inhibitMapping: rarely(5, skipCount),
  inhibitAny: rarely(5, skipCount),
  isSelfIssued: fc.boolean(),
});

/**
 * A leaf below an anchor and up to four intermediates. Half of the leaves require a policy. A leaf has no mappings: OpenSSL
 * processes them, although only those of a CA have a meaning (RFC 5280 §4.2.1.5, §6.1.5).
 */
export const randomPolicyChain: fc.Arbitrary<PolicyChainPlan> = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 5 }), level, rarely(1, fc.constant(0)))
  .map(([cas, leaf, requireExplicit]) => [...cas, { ...leaf, mappings: [], requireExplicit, isSelfIssued: false }]);

/**
 * Whether OpenSSL accepts the chain although no policy is valid: to a policy that a CA maps without having it, it applies the
 * CA's anyPolicy, even if that is inhibited. RFC 9618 §5.4 (b)(2) requires a node for anyPolicy, which then does not exist.
 */
export function mapsInhibitedAnyPolicy(plan: PolicyChainPlan): boolean {
  const first = plan.findIndex(({ inhibitAny }) => inhibitAny !== undefined);
  const below = first === -1 ? [] : plan.slice(first + 1);
  return below.some(
    ({ policies: list = [], mappings }) =>
      list.includes(anyPolicy) && mappings.some(([issuerPolicy]) => !list.includes(issuerPolicy)),
  );
}

export interface PolicyChain {
  readonly anchor: MintedCertificate;
  readonly intermediates: readonly MintedCertificate[];
  readonly leaf: MintedCertificate;
  /**
   * The same chain with a root without extensions above the anchor, which then is a self-issued CA. OpenSSL, which
   * ignores the extensions of an anchor, processes them like this.
   */
  readonly rootAbove: MintedCertificate;
  readonly anchorBelow: MintedCertificate;
}

const keys: KeyPair[] = Array.from({ length: 7 }, () => keyPair('ec-p256', { reuse: false }));
/** Safe: the chains have at most seven certificates. */
const keyOf = (index: number) => keys[index] as KeyPair;

/** @param number part of the CA names, so that they are unique to this chain */
export function mintPolicyChain(plan: PolicyChainPlan, number: number): PolicyChain {
  const [top, ...below] = plan;
  if (!top) throw new Error('a chain without an anchor');
  const subject = [['CN', `Level 0 of ${number}`]] as const;
  const anchor = createTestCa({ subject, keys: keyOf(0), extraExtensions: extensionsOf(top) });
  const rootAbove = createTestCa({ subject, keys: keyOf(6) });
  const explicitTop = { ...top, policies: top.policies ?? [anyPolicy] };
  const anchorBelow = rootAbove.issueIntermediate({
    subject,
    keys: keyOf(0),
    extraExtensions: extensionsOf(explicitTop),
  });
  const intermediates: TestCa[] = [];
  let name: string = subject[0][1];
  for (const [index, one] of below.slice(0, -1).entries()) {
    const issuer = intermediates.at(-1) ?? anchor;
    if (!one.isSelfIssued) name = `Level ${index + 1} of ${number}`;
    const options = { subject: [['CN', name]], keys: keyOf(index + 1), extraExtensions: extensionsOf(one) } as const;
    intermediates.push(issuer.issueIntermediate(options));
  }
  const leafPlan = below.at(-1);
  if (!leafPlan) throw new Error('a chain without a leaf');
  const leaf = (intermediates.at(-1) ?? anchor).issue({ keys: keyOf(5), extraExtensions: extensionsOf(leafPlan) });
  return { anchor, intermediates, leaf, rootAbove, anchorBelow };
}

function extensionsOf(plan: PolicyPlan): RawExtension[] {
  const { policies: list, mappings, requireExplicit, inhibitMapping, inhibitAny } = plan;
  const hasConstraints = requireExplicit !== undefined || inhibitMapping !== undefined;
  const counts = {
    ...(requireExplicit === undefined ? {} : { requireExplicit }),
    ...(inhibitMapping === undefined ? {} : { inhibitMapping }),
  };
  return [
    ...(list ? [certificatePolicies(...list)] : []),
    ...(mappings.length > 0 ? [policyMappings(...mappings)] : []),
    ...(hasConstraints ? [policyConstraints(counts)] : []),
    ...(inhibitAny === undefined ? [] : [inhibitAnyPolicy(inhibitAny)]),
  ];
}
