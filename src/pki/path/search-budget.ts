import type { KeyObject } from 'node:crypto';
import type { CaCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { isSignedByKey } from '../certificate/certificate-signature.ts';
import type { DerElement } from '../certificate/der-element.ts';
import { parseCertificatePolicies } from '../certificate/policies.ts';
import { type ConstrainedName, constrainedNames } from './constrained-names.ts';

/** What one path search may still compute, however many certificates it has to consider. */
export interface SearchBudget {
  readonly signatures: SignatureChecks;
  readonly comparisons: NameComparisons;
  readonly policies: PolicySteps;
}

export function createSearchBudget(): SearchBudget {
  return { signatures: new SignatureChecks(), comparisons: new NameComparisons(), policies: new PolicySteps() };
}

/** Whether so little was used that the search took about as long as parsing the leaf. */
export function isBrief({ signatures, comparisons, policies }: SearchBudget): boolean {
  return signatures.cost <= BRIEF_SIGNATURE_COST && comparisons.spent <= BRIEF_STEPS && policies.spent <= BRIEF_STEPS;
}

/** One verification with P-384. */
const BRIEF_SIGNATURE_COST = 5;
const BRIEF_STEPS = 1_000;

const MAX_SIGNATURES = 40;
/** In verifications with P-256, of about 0.2 ms: the longest path of the slowest curve, and hardly more. */
const MAX_SIGNATURE_COST = 80;
/** A path of four certificates with P-384. */
const ORDINARY_SIGNATURE_COST = 20;
const MAX_RSA_BITS_OF_UNIT_COST = 4096;

interface SignatureResult {
  readonly child: Certificate;
  readonly issuer: CaCertificate;
  readonly isSigned: boolean;
}

/** Verifies signatures during one path search: each pair once, and only within the budget. */
class SignatureChecks {
  #cost = 0;
  /** Of at most 40 pairs, usually one: a list is looked through faster than a Map of Maps is created. */
  readonly #results: SignatureResult[] = [];

  /** Undefined when the budget is exhausted: a client can send many possible issuers with the same name. */
  isSignedBy(child: Certificate, issuer: CaCertificate): boolean | undefined {
    // In one search, a certificate is one object.
    const known = this.#results.find((result) => result.child === child && result.issuer === issuer);
    if (known) return known.isSigned;
    const cost = verificationCost(issuer);
    if (this.#results.length === MAX_SIGNATURES || this.#cost + cost > MAX_SIGNATURE_COST) return undefined;
    this.#cost += cost;
    const results = resultsOfCa(child);
    const isSigned = results?.get(issuer) ?? isSignedByKey(child, issuer.publicKey);
    results?.set(issuer, isSigned);
    this.#results.push({ child, issuer, isSigned });
    return isSigned;
  }

  /** In verifications with P-256. */
  get cost(): number {
    return this.#cost;
  }

  /** Whether an ordinary chain would have needed less. */
  get isCostly(): boolean {
    return this.#cost > ORDINARY_SIGNATURE_COST;
  }
}

/**
 * The signatures of CA certificates that were verified in earlier searches: those between configured ones are part of
 * every path. They cost the same budget as before, so that the result of a search does not depend on earlier ones.
 */
const earlierResults = new WeakMap<Certificate, WeakMap<CaCertificate, boolean>>();

function resultsOfCa(child: Certificate): WeakMap<CaCertificate, boolean> | undefined {
  if (!child.basicConstraints.isCa) return undefined;
  const results = earlierResults.get(child) ?? new WeakMap<CaCertificate, boolean>();
  earlierResults.set(child, results);
  return results;
}

/** The approximate time of a verification, relative to P-256, where it is longer. */
const curveCosts: Readonly<Record<string, number>> = {
  secp384r1: 5,
  secp521r1: 13,
  brainpoolP256r1: 4,
  brainpoolP384r1: 9,
  brainpoolP512r1: 13,
};

/** Node copies the details of a key each time, which takes longer than the rest of an ordinary search. */
const knownCosts = new WeakMap<CaCertificate, number>();

function verificationCost(issuer: CaCertificate): number {
  const known = knownCosts.get(issuer);
  if (known !== undefined) return known;
  const cost = costOfKey(issuer.publicKey);
  knownCosts.set(issuer, cost);
  return cost;
}

function costOfKey({ asymmetricKeyDetails }: KeyObject): number {
  const { namedCurve, modulusLength = 0 } = asymmetricKeyDetails ?? {};
  if (namedCurve !== undefined) return curveCosts[namedCurve] ?? 1;
  return modulusLength > MAX_RSA_BITS_OF_UNIT_COST ? 3 : 1;
}

const MAX_COMPARISONS = 100_000;

/** The names that are compared with subtrees during one path search: parsed once, and compared within the budget. */
export class NameComparisons {
  #left = MAX_COMPARISONS;
  readonly #names = new Map<Certificate, readonly ConstrainedName[]>();

  get spent(): number {
    return MAX_COMPARISONS - this.#left;
  }

  namesOf(certificate: Certificate, isLeaf: boolean): readonly ConstrainedName[] {
    const names = this.#names.get(certificate) ?? [...constrainedNames(certificate, isLeaf)];
    this.#names.set(certificate, names);
    return names;
  }

  /** @throws {CertificateError} when the budget is exhausted */
  spend(): void {
    if (this.#left === 0) {
      throw new CertificateError(`more than ${MAX_COMPARISONS} names to compare with name constraints`);
    }
    this.#left -= 1;
  }
}

/** Paths through the largest federations of PKIs need fewer than 1,000 steps each. */
const MAX_POLICY_STEPS = 100_000;

/** The certificate policies that are processed during one path search: parsed once, and processed within the budget. */
export class PolicySteps {
  #left = MAX_POLICY_STEPS;
  readonly #policies = new Map<Certificate, ReadonlySet<string> | CertificateError>();

  get spent(): number {
    return MAX_POLICY_STEPS - this.#left;
  }

  /**
   * Undefined for a certificate without the extension.
   *
   * @throws {CertificateError} when it is malformed
   */
  policiesOf(certificate: Certificate): ReadonlySet<string> | undefined {
    if (certificate.certificatePolicies === undefined) return undefined;
    const policies = this.#policies.get(certificate) ?? parsePoliciesOrError(certificate.certificatePolicies);
    this.#policies.set(certificate, policies);
    if (policies instanceof CertificateError) throw policies;
    return policies;
  }

  /**
   * @param steps the policies and mappings to be processed
   * @throws {CertificateError} when the budget is exhausted
   */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new CertificateError(`more than ${MAX_POLICY_STEPS} certificate policies to process`);
  }
}

function parsePoliciesOrError(extension: DerElement): ReadonlySet<string> | CertificateError {
  try {
    return parseCertificatePolicies(extension);
  } catch (error) {
    if (error instanceof CertificateError) return error;
    throw error;
  }
}
