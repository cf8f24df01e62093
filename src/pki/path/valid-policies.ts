import { type CaCertificate, isSelfIssued } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { ANY_POLICY, type PolicyMapping } from '../certificate/policies.ts';
import type { PolicySteps } from './search-budget.ts';

/**
 * The policies that are valid for a path, from the anchor down to the certificate that was processed last. Of the graph of
 * RFC 9618 §5 these are the expected policies of the deepest nodes: the graph is NULL exactly if there are none, and with
 * any-policy as user-initial-policy-set it does not matter to which policies of the anchor they are equivalent.
 *
 * Each method processes the next certificate, and returns what is wrong with it if no policy is left.
 */
export class ValidPolicies {
  readonly #budget: PolicySteps;
  /** Undefined: every policy, since all certificates so far have anyPolicy. Named policies then make no difference. */
  #policies: ReadonlySet<string> | undefined;
  /** How many more certificates, other than self-issued ones, may use anyPolicy and mappings. */
  #anyPolicySkip = Number.POSITIVE_INFINITY;
  #mappingSkip = Number.POSITIVE_INFINITY;

  constructor(budget: PolicySteps) {
    this.#budget = budget;
  }

  /** The policy extensions of an anchor apply like those of a CA (RFC 5937 §3), but it need not have any policies. */
  processAnchor(anchor: CaCertificate): string | undefined {
    const problem = anchor.certificatePolicies && this.#restrict(anchor, true);
    return problem ?? this.#prepareForNext(anchor);
  }

  processCa(ca: CaCertificate): string | undefined {
    return this.#restrict(ca, this.#anyPolicySkip > 0 || isSelfIssued(ca)) ?? this.#prepareForNext(ca);
  }

  processLeaf(leaf: Certificate): string | undefined {
    return this.#restrict(leaf, this.#anyPolicySkip > 0);
  }

  /** RFC 5280 §6.1.3 (d), (e): only the policies of the certificate stay valid, or with anyPolicy all of them. */
  #restrict(certificate: Certificate, isAnyPolicyAllowed: boolean): string | undefined {
    const policies = this.#budget.policiesOf(certificate);
    if (policies === undefined) return 'has no certificate policies';
    this.#budget.spend(policies.size);
    if (policies.has(ANY_POLICY) && isAnyPolicyAllowed) return undefined;
    const own = [...policies].filter((policy) => policy !== ANY_POLICY);
    const above = this.#policies;
    const common = above ? own.filter((policy) => above.has(policy)) : own;
    this.#policies = new Set(common);
    if (common.length > 0) return undefined;
    if (own.length === 0) return 'has only anyPolicy, which a CA above it inhibits (inhibitAnyPolicy)';
    return `has only certificate policies that the CAs above it do not allow: ${list(own)} instead of ${list(above ?? [])}`;
  }

  /** RFC 5280 §6.1.4 (b), (h) to (j). */
  #prepareForNext(ca: CaCertificate): string | undefined {
    const { policyMappings, policyConstraints, inhibitAnyPolicy } = ca;
    if (policyMappings.length > 0) this.#map(policyMappings);
    if (this.#policies?.size === 0) {
      return 'maps all of its policies, which a CA above it inhibits (inhibitPolicyMapping)';
    }
    const counted = isSelfIssued(ca) ? 0 : 1;
    this.#mappingSkip = Math.min(this.#mappingSkip - counted, policyConstraints.inhibitPolicyMapping);
    this.#anyPolicySkip = Math.min(this.#anyPolicySkip - counted, inhibitAnyPolicy);
    return undefined;
  }

  /** Replaces each mapped policy by those to which it is mapped. If mapping is inhibited, a mapped policy is not valid. */
  #map(mappings: readonly PolicyMapping[]): void {
    const policies = this.#policies;
    if (policies === undefined) return;
    this.#budget.spend(mappings.length + policies.size);
    const mapped = new Set(mappings.map(({ issuerPolicy }) => issuerPolicy));
    const applied = this.#mappingSkip > 0 ? mappings.filter(({ issuerPolicy }) => policies.has(issuerPolicy)) : [];
    this.#policies = new Set([
      ...[...policies].filter((policy) => !mapped.has(policy)),
      ...applied.map(({ subjectPolicy }) => subjectPolicy),
    ]);
  }
}

const LISTED = 3;

function list(policies: Iterable<string>): string {
  const all = [...policies];
  const more = all.length > LISTED ? ` and ${all.length - LISTED} more` : '';
  return all.slice(0, LISTED).join(', ') + more;
}
