import type { CaCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { type CertificationPath, type PathViolation, pathViolation } from '../path/path.ts';
import type { Crl } from './crl.ts';

/** How the CRL of a CA affects the certificates that it issued. */
export type CrlMode =
  /** A current CRL is required: without one, the certificates are rejected. */
  | 'require'
  /** Certificates on the CRL are rejected, even if the CRL has expired. Without a CRL, all are accepted. */
  | 'prefer'
  /** CRLs are ignored. */
  | 'off';

export const crlModes = ['require', 'prefer', 'off'] as const satisfies CrlMode[];

export interface CaCrlPolicy {
  readonly mode: CrlMode;
  /** How long after its nextUpdate a CRL is still accepted. */
  readonly maxStalenessMilliseconds: number;
}

/** The policy for all CAs, and for individual ones by their public key (SHA-256, base64url). */
export interface CrlPolicy {
  readonly byDefault: CaCrlPolicy;
  readonly byCa: ReadonlyMap<string, CaCrlPolicy>;
}

function crlPolicyFor(policy: CrlPolicy, publicKeyThumbprint: string): CaCrlPolicy {
  return policy.byCa.get(publicKeyThumbprint) ?? policy.byDefault;
}

/** CRLs with verified signatures, by the public key of the CA that signed them (SHA-256, base64url). */
export type VerifiedCrls = ReadonlyMap<string, { readonly crl: Crl }>;

/**
 * Checks each certificate of a path except the anchor against the CRL of its issuer. All data is in memory.
 *
 * @param now milliseconds since the epoch
 */
export function crlViolation(
  path: CertificationPath,
  crls: VerifiedCrls,
  policy: CrlPolicy,
  now: number,
): PathViolation | undefined {
  for (const [position, issuer] of path.caCertificates.entries()) {
    const certificate = path.caCertificates[position - 1] ?? path.leaf;
    const { mode, maxStalenessMilliseconds } = crlPolicyFor(policy, issuer.publicKeyThumbprint);
    const crl = crls.get(issuer.publicKeyThumbprint)?.crl;
    if (mode !== 'off' && crl && isRevoked(certificate, crl)) {
      return pathViolation(path, position, `is revoked by CA "${issuer.subjectText}"`, 'RFC 5280 §6.3.3');
    }
    const reason = mode === 'require' ? missingCrlReason(issuer, crl, maxStalenessMilliseconds, now) : undefined;
    if (reason === undefined) continue;
    const problem = `has an unknown revocation status: ${reason}`;
    return pathViolation(path, position, problem, 'COUNTERSIGN_CRL_MODE=require, RFC 5280 §6.3.3');
  }
  return undefined;
}

function isRevoked({ serialNumber }: Certificate, { revoked }: Crl): boolean {
  return revoked.has(Buffer.from(serialNumber, 'hex'));
}

function missingCrlReason(
  { subjectText }: CaCertificate,
  crl: Crl | undefined,
  maxStalenessMilliseconds: number,
  now: number,
): string | undefined {
  if (!crl) return `there is no CRL of CA "${subjectText}"`;
  const { thisUpdate, nextUpdate } = crl;
  if (now < thisUpdate)
    return `the CRL of CA "${subjectText}" is not valid before ${new Date(thisUpdate).toISOString()}`;
  if (now <= nextUpdate + maxStalenessMilliseconds) return undefined;
  return `the CRL of CA "${subjectText}" expired at ${new Date(nextUpdate).toISOString()}`;
}
