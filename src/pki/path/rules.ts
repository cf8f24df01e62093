import { isSelfIssued } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { requireValidAt } from '../certificate/client-certificate.ts';
import { ANY_EXTENDED_KEY_USAGE, CLIENT_AUTH } from '../certificate/extensions.ts';
import { type NameComparisons, nameConstraintViolation } from './name-constraint-rule.ts';
import { type CertificationPath, type PathViolation, pathViolation } from './path.ts';

/**
 * What must hold of a path whose signatures are right and that ends in an anchor (RFC 5280 §6.1), but for what depends
 * on the time. That each authority is one, with a key that is strong enough, was asked when it was read. An anchor is
 * held to what its own certificate says, like any other (RFC 5937 §3).
 */
type PathRule = (path: CertificationPath, comparisons: NameComparisons) => PathViolation | undefined;

/** The first rule that the path breaks, or undefined where it holds. */
export function firstViolation(path: CertificationPath, comparisons: NameComparisons): PathViolation | undefined {
  for (const rule of rules) {
    const fault = rule(path, comparisons);
    if (fault) return fault;
  }
  return undefined;
}

const pathLengths: PathRule = ({ leaf, caCertificates }) => {
  // Of those below each, self-issued ones do not count: an authority that changes its key is no longer a path.
  let below = 0;
  for (const [index, authority] of caCertificates.entries()) {
    const { pathLength = Number.POSITIVE_INFINITY } = authority.basicConstraints;
    if (below > pathLength) {
      const problem = `allows ${pathLength} CAs below it, and there are ${below}`;
      return pathViolation({ leaf, caCertificates }, index + 1, problem, 'RFC 5280 §6.1.4 (l)');
    }
    if (!isSelfIssued(authority)) below += 1;
  }
  return undefined;
};

/**
 * RFC 5280 §4.2.1.3: a client that shows a certificate signs with its key, or agrees on another. One whose key could
 * sign certificates claims what its basicConstraints deny.
 */
const leafKeyUsage: PathRule = (path) => {
  const { keyUsage } = path.leaf;
  if (!keyUsage) return undefined;
  const refuse = (problem: string) => pathViolation(path, 0, problem, 'RFC 5280 §4.2.1.3');
  if (keyUsage.has('keyCertSign')) return refuse('is no CA, and its key usage has keyCertSign');
  if (keyUsage.has('digitalSignature') || keyUsage.has('keyAgreement')) return undefined;
  return refuse('may not be used by a client: its key usage lacks digitalSignature');
};

/** An authority that is for some purposes only vouches for no other; a leaf was asked when it was read. */
const authorityPurposes: PathRule = (path) => {
  const index = path.caCertificates.findIndex(
    ({ extendedKeyUsage }) => extendedKeyUsage && !extendedKeyUsage.some(coversClients),
  );
  if (index === -1) return undefined;
  return pathViolation(
    path,
    index + 1,
    'is not for clients: its extended key usage lacks clientAuth',
    'RFC 5280 §4.2.1.12',
  );
};

function coversClients(purpose: string): boolean {
  return purpose === CLIENT_AUTH || purpose === ANY_EXTENDED_KEY_USAGE;
}

const criticalExtensions: PathRule = (path) =>
  firstFault(path, ({ unknownCriticalExtensions: [id] }) =>
    id === undefined
      ? undefined
      : { problem: `has a critical extension that is not read: ${id}`, section: 'RFC 5280 §4.2' },
  );

const policies: PathRule = (path) =>
  firstFault(path, ({ requiresExplicitPolicy }) =>
    requiresExplicitPolicy
      ? {
          problem: 'demands a certificate policy (requireExplicitPolicy), and none is configured',
          section: 'RFC 5280 §6.1.5 (g)',
        }
      : undefined,
  );

const rules: readonly PathRule[] = [
  pathLengths,
  leafKeyUsage,
  authorityPurposes,
  criticalExtensions,
  policies,
  nameConstraintViolation,
];

function firstFault(
  path: CertificationPath,
  find: (certificate: Certificate) => Pick<PathViolation, 'problem' | 'section'> | undefined,
): PathViolation | undefined {
  for (const [position, certificate] of [path.leaf, ...path.caCertificates].entries()) {
    const found = find(certificate);
    if (found) return pathViolation(path, position, found.problem, found.section);
  }
  return undefined;
}

/**
 * Every certificate of a path must be valid at this time, the anchor's own as well (RFC 5280 §6.1.3 (a)(2)).
 *
 * @param now milliseconds since the epoch
 */
export function validityViolation(path: CertificationPath, now: number): PathViolation | undefined {
  for (const [position, certificate] of [path.leaf, ...path.caCertificates].entries()) {
    try {
      requireValidAt(certificate, now);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      return pathViolation(path, position, error.message, 'RFC 5280 §6.1.3 (a)(2)');
    }
  }
  return undefined;
}
