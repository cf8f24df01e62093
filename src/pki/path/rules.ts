import type { InvalidClientCode } from '../../reasons/reasons.ts';
import { isSelfIssued } from '../certificate/ca-certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { requireValidAt } from '../certificate/client-certificate.ts';
import type { ExtendedKeyUsage } from '../certificate/extensions.ts';
import { nameConstraintViolation } from './name-constraint-rule.ts';
import { type CertificationPath, certificateAt, type PathViolation, pathViolation } from './path.ts';
import { policyViolation } from './policy-rule.ts';
import type { SearchBudget } from './search-budget.ts';

/** Checks one rule of RFC 5280 §6.1 on a path whose signatures are verified and which ends in an anchor. */
type PathRule = (path: CertificationPath, budget: SearchBudget) => PathViolation | undefined;

/**
 * The rules that do not depend on the time. `parseCaCertificate` has already checked that each CA certificate is one,
 * with a strong key. An anchor is subject to its own extensions, like any other CA certificate (RFC 5937 §3).
 */
const rules: readonly PathRule[] = [
  checkPathLengths,
  checkLeafKeyUsage,
  checkExtendedKeyUsage,
  checkCriticalExtensions,
  policyViolation,
  nameConstraintViolation,
];

/** The first rule that the path violates, or undefined if it is valid. */
export function firstViolation(path: CertificationPath, budget: SearchBudget): PathViolation | undefined {
  for (const rule of rules) {
    const violation = rule(path, budget);
    if (violation) return violation;
  }
  return undefined;
}

function checkPathLengths(path: CertificationPath): PathViolation | undefined {
  // Self-issued certificates do not count: a key rollover of a CA does not lengthen the path.
  let below = 0;
  let position = 0;
  for (const ca of path.caCertificates) {
    position += 1;
    const { pathLength = Number.POSITIVE_INFINITY } = ca.basicConstraints;
    if (below > pathLength) {
      const problem = `allows ${pathLength} intermediates below it, and the path has ${below}`;
      return pathViolation(path, position, { code: 'path_too_long', problem, section: 'RFC 5280 §6.1.4 (l)' });
    }
    if (!isSelfIssued(ca)) below += 1;
  }
  return undefined;
}

/**
 * RFC 5280 §4.2.1.3: a client that presents a certificate uses its key to sign or to agree on another. A key that may
 * sign certificates contradicts basicConstraints.
 */
function checkLeafKeyUsage(path: CertificationPath): PathViolation | undefined {
  const { keyUsage } = path.leaf;
  if (!keyUsage) return undefined;
  const reject = (problem: string) =>
    pathViolation(path, 0, { code: 'path_purpose_wrong', problem, section: 'RFC 5280 §4.2.1.3' });
  if (keyUsage.has('keyCertSign')) return reject('is not a CA certificate, but its key usage has keyCertSign');
  if (keyUsage.has('digitalSignature') || keyUsage.has('keyAgreement')) return undefined;
  return reject('may not be used by a client: its key usage lacks digitalSignature');
}

/** The extended key usage of a CA certificate limits what it may issue. That of the leaf is checked when it is parsed. */
function checkExtendedKeyUsage(path: CertificationPath): PathViolation | undefined {
  const index = path.caCertificates.findIndex(
    ({ extendedKeyUsage }) => extendedKeyUsage && !coversClientAuth(extendedKeyUsage),
  );
  if (index === -1) return undefined;
  const problem = 'may not issue client certificates: its extended key usage lacks clientAuth';
  return pathViolation(path, index + 1, { code: 'path_purpose_wrong', problem, section: 'RFC 5280 §4.2.1.12' });
}

function coversClientAuth(usage: ExtendedKeyUsage): boolean {
  return usage.has('clientAuth') || usage.has('anyExtendedKeyUsage');
}

function checkCriticalExtensions(path: CertificationPath): PathViolation | undefined {
  for (let position = 0; position <= path.caCertificates.length; position++) {
    const id = certificateAt(path, position)?.unknownCriticalExtensions[0];
    if (id === undefined) continue;
    const problem = `has an unknown critical extension: ${id}`;
    return pathViolation(path, position, { code: 'path_extension_unknown', problem, section: 'RFC 5280 §4.2' });
  }
  return undefined;
}

/**
 * Checks that every certificate of a path is valid at this time, including the anchor (RFC 5280 §6.1.3 (a)(2)).
 *
 * @param now milliseconds since the epoch
 */
export function validityViolation(path: CertificationPath, now: number): PathViolation | undefined {
  // On every request, so without a copy of the path.
  let position = 0;
  try {
    requireValidAt(path.leaf, now);
    for (const certificate of path.caCertificates) {
      position += 1;
      requireValidAt(certificate, now);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const code = position === 0 ? error.code : caCodeOf(error);
    return pathViolation(path, position, { code, problem: error.message, section: 'RFC 5280 §6.1.3 (a)(2)' });
  }
}

function caCodeOf({ code }: CertificateError): InvalidClientCode {
  return code === 'certificate_not_yet_valid' ? 'path_not_yet_valid' : 'path_expired';
}
