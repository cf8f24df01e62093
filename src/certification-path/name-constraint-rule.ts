import { isSelfIssued } from '../certificate/authority-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import type { NameConstraints, Subtree } from '../certificate/name-constraints.ts';
import type { ComparisonBudget } from './comparison-budget.ts';
import { constrainedNames } from './constrained-names.ts';
import { faultOf, type Path, type PathFault } from './path.ts';
import { type ConstrainedName, positionOf } from './subtree-matching.ts';

const SECTION = 'RFC 5280 §4.2.1.10';

/**
 * Each authority's name constraints hold for all certificates below it, but for self-issued ones that are not the leaf
 * (RFC 5280 §6.1.3 (b), (c)).
 */
export function brokenNameConstraint(path: Path, budget: ComparisonBudget): PathFault | undefined {
  const certificates = [path.leaf, ...path.authorities];
  for (const [index, { nameConstraints }] of path.authorities.entries()) {
    if (!nameConstraints) continue;
    for (const [position, certificate] of certificates.slice(0, index + 1).entries()) {
      if (position > 0 && isSelfIssued(certificate)) continue;
      const problem = violation(certificate, position === 0, nameConstraints, budget);
      if (problem === undefined) continue;
      const authority = path.authorities[index]?.subjectText;
      return faultOf(path, position, `${problem}, which CA "${authority}" forbids by its name constraints`, SECTION);
    }
  }
  return undefined;
}

function violation(
  certificate: Certificate,
  isLeaf: boolean,
  { permitted, excluded }: NameConstraints,
  budget: ComparisonBudget,
): string | undefined {
  for (const name of constrainedNames(certificate, isLeaf)) {
    if (!isPermitted(name, permitted, budget)) return `has ${describe(name)} outside what is permitted`;
    if (isExcluded(name, excluded, budget)) return `has ${describe(name)} within what is excluded`;
  }
  return undefined;
}

/** Only subtrees of the name's own form say anything about it; where there are any, it must be within one of them. */
function isPermitted(name: ConstrainedName, permitted: readonly Subtree[], budget: ComparisonBudget): boolean {
  let isConstrained = false;
  for (const subtree of permitted) {
    budget.spend();
    const position = positionOf(name, subtree);
    if (position === 'within') return true;
    isConstrained ||= position !== undefined;
  }
  return !isConstrained;
}

function isExcluded(name: ConstrainedName, excluded: readonly Subtree[], budget: ComparisonBudget): boolean {
  return excluded.some((subtree) => {
    budget.spend();
    const position = positionOf(name, subtree);
    return position === 'within' || position === 'unclear';
  });
}

function describe(name: ConstrainedName): string {
  if (name.kind === 'directory') return 'a distinguished name';
  if (name.kind === 'other') return 'a name of a form that cannot be compared';
  return `the ${name.kind} name "${name.text.slice(0, 120)}"`;
}
