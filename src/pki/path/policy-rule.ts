import { isSelfIssued } from '../certificate/ca-certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { isCritical } from '../certificate/structure.ts';
import { type CertificationPath, certificateAt, type PathViolation, pathViolation } from './path.ts';
import type { PolicySteps, SearchBudget } from './search-budget.ts';
import { ValidPolicies } from './valid-policies.ts';

/**
 * If a certificate of the path requires an explicit policy, the whole path must be valid under at least one
 * (RFC 5280 §6.1 as updated by RFC 9618 §5). Any will do: the user-initial-policy-set is any-policy. Otherwise the
 * policies cannot make the path invalid, and are not parsed.
 */
export function policyViolation(
  path: CertificationPath,
  { policies: budget }: SearchBudget,
): PathViolation | undefined {
  const malformed = malformedCriticalPolicies(path, budget);
  const requiredAt = explicitPolicyRequiredAt(path);
  if (malformed || requiredAt === undefined) return malformed;
  const valid = new ValidPolicies(budget);
  for (let position = path.caCertificates.length; position >= 0; position--) {
    const problem = problemAt(path, position, valid);
    if (problem === undefined) continue;
    const explained = `${problem}; ${requirement(path, requiredAt, position)}`;
    return pathViolation(path, position, { code: 'path_policy', problem: explained, section: SECTION });
  }
  return undefined;
}

/** A critical extension that cannot be processed makes a path invalid, even if its content does not matter. */
function malformedCriticalPolicies(path: CertificationPath, budget: PolicySteps): PathViolation | undefined {
  for (let position = 0; position <= path.caCertificates.length; position++) {
    const certificate = certificateAt(path, position);
    if (!certificate?.certificatePolicies || !isCritical(certificate.certificatePolicies)) continue;
    const problem = explained(() => void budget.policiesOf(certificate));
    if (problem !== undefined)
      return pathViolation(path, position, { code: 'path_policy', problem, section: 'RFC 5280 §4.2' });
  }
  return undefined;
}

const SECTION = 'RFC 5280 §6.1.5 (g)';

/**
 * The position of the certificate whose requireExplicitPolicy takes effect within the path. Once it does, nothing
 * below can lift it, so it applies to the whole path (RFC 5280 §4.2.1.11).
 */
function explicitPolicyRequiredAt(path: CertificationPath): number | undefined {
  let skip = Number.POSITIVE_INFINITY;
  let requiredAt: number | undefined;
  for (let position = path.caCertificates.length; position >= 0; position--) {
    const certificate = certificateAt(path, position);
    if (!certificate) continue;
    if (position === 0 || !isSelfIssued(certificate)) skip = Math.max(skip - 1, 0);
    const { requireExplicitPolicy } = certificate.policyConstraints;
    if (requireExplicitPolicy >= skip) continue;
    skip = requireExplicitPolicy;
    requiredAt = position;
  }
  return skip === 0 ? requiredAt : undefined;
}

/** Processes the next certificate, and explains why no policy is valid for the path down to it. */
function problemAt(path: CertificationPath, position: number, valid: ValidPolicies): string | undefined {
  const isAnchor = position === path.caCertificates.length;
  const ca = path.caCertificates[position - 1];
  return explained(() => {
    if (ca === undefined) return valid.processLeaf(path.leaf);
    return isAnchor ? valid.processAnchor(ca) : valid.processCa(ca);
  });
}

/** The result, or what is malformed. */
function explained(process: () => string | undefined): string | undefined {
  try {
    return process();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return `cannot be validated: ${error.message}`;
  }
}

function requirement({ caCertificates }: CertificationPath, requiredAt: number, position: number): string {
  if (requiredAt === position) return 'its own requireExplicitPolicy requires one';
  const ca = caCertificates[requiredAt - 1];
  return `${ca ? `CA "${ca.subjectText}"` : 'the certificate'} requires a certificate policy (requireExplicitPolicy)`;
}
