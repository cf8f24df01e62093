import { isSelfIssued } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import type { NameConstraints, Subtree } from '../certificate/name-constraints.ts';
import type { ConstrainedName } from './constrained-names.ts';
import { type CertificationPath, type PathViolation, pathViolation } from './path.ts';
import type { NameComparisons, SearchBudget } from './search-budget.ts';
import { subtreePosition } from './subtree-position.ts';

const SECTION = 'RFC 5280 §4.2.1.10';

/**
 * The name constraints of each CA apply to all certificates below it, except self-issued ones other than the leaf
 * (RFC 5280 §6.1.3 (b), (c)).
 */
export function nameConstraintViolation(
  path: CertificationPath,
  { comparisons }: SearchBudget,
): PathViolation | undefined {
  let issuerPosition = 0;
  for (const { nameConstraints, subjectText } of path.caCertificates) {
    issuerPosition += 1;
    if (!nameConstraints) continue;
    const below = [path.leaf, ...path.caCertificates].slice(0, issuerPosition);
    for (const [position, certificate] of below.entries()) {
      if (position > 0 && isSelfIssued(certificate)) continue;
      const problem = problemWith(certificate, position === 0, nameConstraints, comparisons);
      if (problem === undefined) continue;
      const located = `${problem} of CA "${subjectText}"`;
      return pathViolation(path, position, { code: 'path_name_constraint', problem: located, section: SECTION });
    }
  }
  return undefined;
}

function problemWith(
  certificate: Certificate,
  isLeaf: boolean,
  { permitted, excluded }: NameConstraints,
  comparisons: NameComparisons,
): string | undefined {
  for (const name of comparisons.namesOf(certificate, isLeaf)) {
    if (!isPermitted(name, permitted, comparisons)) return `has ${describeName(name)} outside the permitted subtrees`;
    if (isExcluded(name, excluded, comparisons)) return `has ${describeName(name)} within an excluded subtree`;
  }
  return undefined;
}

/** Only subtrees of the name's own form apply to it; if there are any, it must be within one of them. */
function isPermitted(name: ConstrainedName, permitted: readonly Subtree[], comparisons: NameComparisons): boolean {
  let isConstrained = false;
  for (const subtree of permitted) {
    comparisons.spend();
    const position = subtreePosition(name, subtree);
    if (position === 'within') return true;
    isConstrained ||= position !== undefined;
  }
  return !isConstrained;
}

function isExcluded(name: ConstrainedName, excluded: readonly Subtree[], comparisons: NameComparisons): boolean {
  return excluded.some((subtree) => {
    comparisons.spend();
    const position = subtreePosition(name, subtree);
    return position === 'within' || position === 'unclear';
  });
}

function describeName(name: ConstrainedName): string {
  if (name.kind === 'directory') return 'a distinguished name';
  if (name.kind === 'other') return 'a name of a form that cannot be compared';
  if (name.text === '') return `a name of type ${name.kind} that cannot be compared`;
  return `the ${name.kind} name "${name.text.slice(0, 120)}"`;
}
