import { isSelfIssued } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import type { NameConstraints, Subtree } from '../certificate/name-constraints.ts';
import { type ConstrainedName, constrainedNames, positionOf } from './constrained-names.ts';
import { type CertificationPath, type PathViolation, pathViolation } from './path.ts';

const SECTION = 'RFC 5280 §4.2.1.10';

/**
 * Each authority's name constraints hold for all certificates below it, but for self-issued ones that are not the leaf
 * (RFC 5280 §6.1.3 (b), (c)).
 */
export function nameConstraintViolation(
  path: CertificationPath,
  comparisons: NameComparisons,
): PathViolation | undefined {
  const certificates = [path.leaf, ...path.caCertificates];
  for (const [index, { nameConstraints }] of path.caCertificates.entries()) {
    if (!nameConstraints) continue;
    for (const [position, certificate] of certificates.slice(0, index + 1).entries()) {
      if (position > 0 && isSelfIssued(certificate)) continue;
      const problem = violation(certificate, position === 0, nameConstraints, comparisons);
      if (problem === undefined) continue;
      const authority = path.caCertificates[index]?.subjectText;
      return pathViolation(
        path,
        position,
        `${problem}, which CA "${authority}" forbids by its name constraints`,
        SECTION,
      );
    }
  }
  return undefined;
}

function violation(
  certificate: Certificate,
  isLeaf: boolean,
  { permitted, excluded }: NameConstraints,
  comparisons: NameComparisons,
): string | undefined {
  for (const name of comparisons.namesOf(certificate, isLeaf)) {
    if (!isPermitted(name, permitted, comparisons)) return `has ${describe(name)} outside what is permitted`;
    if (isExcluded(name, excluded, comparisons)) return `has ${describe(name)} within what is excluded`;
  }
  return undefined;
}

/** Only subtrees of the name's own form say anything about it; where there are any, it must be within one of them. */
function isPermitted(name: ConstrainedName, permitted: readonly Subtree[], comparisons: NameComparisons): boolean {
  let isConstrained = false;
  for (const subtree of permitted) {
    comparisons.spend();
    const position = positionOf(name, subtree);
    if (position === 'within') return true;
    isConstrained ||= position !== undefined;
  }
  return !isConstrained;
}

function isExcluded(name: ConstrainedName, excluded: readonly Subtree[], comparisons: NameComparisons): boolean {
  return excluded.some((subtree) => {
    comparisons.spend();
    const position = positionOf(name, subtree);
    return position === 'within' || position === 'unclear';
  });
}

function describe(name: ConstrainedName): string {
  if (name.kind === 'directory') return 'a distinguished name';
  if (name.kind === 'other') return 'a name of a form that cannot be compared';
  return `the ${name.kind} name "${name.text.slice(0, 120)}"`;
}

/** How many names may be compared with subtrees while one leaf's paths are sought; a hostile path could ask for millions. */
const MAX_COMPARISONS = 100_000;

/** The names that are compared while one leaf's paths are sought, each read once, and how often that may be. */
export class NameComparisons {
  #left = MAX_COMPARISONS;
  readonly #names = new Map<Certificate, readonly ConstrainedName[]>();

  namesOf(certificate: Certificate, isLeaf: boolean): readonly ConstrainedName[] {
    const names = this.#names.get(certificate) ?? [...constrainedNames(certificate, isLeaf)];
    this.#names.set(certificate, names);
    return names;
  }

  /** @throws {CertificateError} when nothing is left */
  spend(): void {
    if (this.#left === 0)
      throw new CertificateError(`more than ${MAX_COMPARISONS} names to compare with name constraints`);
    this.#left -= 1;
  }
}
