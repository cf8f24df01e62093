import { type CaCertificate, isSelfIssued } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { ANY_POLICY, type PolicyMapping } from '../certificate/policies.ts';
import type { PolicySteps } from './search-budget.ts';

/**
 * The policies that are valid for a path, from the anchor down to the certificate that was processed last: of the graph
 * of RFC 9618 §5, only the expected policies of the deepest nodes. The graph is NULL exactly when there are none, and with
 * any-policy as user-initial-policy-set it does not matter to which policies of the anchor they are equivalent.
 *
 * Each method processes the next certificate, and returns what is wrong with it if no policy is left.
 */
export class ValidPolicies {
  readonly #budget: PolicySteps;
  /** Besides `#named`, every policy is valid: all certificates so far have anyPolicy. */
  #isAny = true;
  #named: ReadonlySet<string> = new Set();
  /** How many more certificates, other than self-issued ones, may use anyPolicy and mappings. */
  #anyPolicySkip = Number.POSITIVE_INFINITY;
  #mappingSkip = Number.POSITIVE_INFINITY;

  constructor(budget: PolicySteps) {
    this.#budget = budget;
  }

  /**
   * The policy extensions of an anchor apply as those of a CA (RFC 5937 §3), but it need not have any: an operator, not
   * a policy, is the reason to trust it.
   */
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

  /** RFC 9618 §5.3 (d), (e): only the policies of the certificate stay valid, or with anyPolicy all of them. */
  #restrict(certificate: Certificate, isAnyPolicyAllowed: boolean): string | undefined {
    const policies = this.#budget.policiesOf(certificate);
    if (policies === undefined) return 'has no certificate policies';
    this.#budget.spend(policies.size + this.#named.size);
    const [wasAny, wereNamed] = [this.#isAny, this.#named];
    const hasAny = policies.has(ANY_POLICY) && isAnyPolicyAllowed;
    const own = [...policies].filter((policy) => policy !== ANY_POLICY);
    this.#isAny = wasAny && hasAny;
    this.#named = new Set([...own.filter((policy) => wasAny || wereNamed.has(policy)), ...(hasAny ? wereNamed : [])]);
    if (!this.#isEmpty) return undefined;
    if (own.length === 0) return 'has only anyPolicy, which a CA above it inhibits (inhibitAnyPolicy)';
    return `has only certificate policies that the CAs above it do not allow: ${list(own)} instead of ${list(wereNamed)}`;
  }

  /** RFC 5280 §6.1.4 (b), (h) to (j), as updated by RFC 9618 §5.4. */
  #prepareForNext(ca: CaCertificate): string | undefined {
    const { policyMappings, policyConstraints } = ca;
    this.#budget.spend(policyMappings.length + this.#named.size);
    this.#map(policyMappings);
    if (this.#isEmpty) return 'maps all of its policies, which a CA above it inhibits (inhibitPolicyMapping)';
    const isCounted = isSelfIssued(ca) ? 0 : 1;
    this.#mappingSkip = Math.min(this.#mappingSkip - isCounted, policyConstraints.inhibitPolicyMapping);
    this.#anyPolicySkip = Math.min(this.#anyPolicySkip - isCounted, policyConstraints.inhibitAnyPolicy);
    return undefined;
  }

  /** Replaces each mapped policy by those to which it is mapped. If mapping is inhibited, a mapped policy is not valid. */
  #map(mappings: readonly PolicyMapping[]): void {
    if (mappings.length === 0) return;
    const mapped = new Set(mappings.map(({ issuerPolicy }) => issuerPolicy));
    const kept = [...this.#named].filter((policy) => !mapped.has(policy));
    const isMappable = ({ issuerPolicy }: PolicyMapping) => this.#isAny || this.#named.has(issuerPolicy);
    const applied = this.#mappingSkip > 0 ? mappings.filter(isMappable) : [];
    this.#named = new Set([...kept, ...applied.map(({ subjectPolicy }) => subjectPolicy)]);
  }

  get #isEmpty(): boolean {
    return !this.#isAny && this.#named.size === 0;
  }
}

const LISTED = 3;

function list(policies: Iterable<string>): string {
  const all = [...policies];
  const more = all.length > LISTED ? ` and ${all.length - LISTED} more` : '';
  return all.slice(0, LISTED).join(', ') + more;
}
