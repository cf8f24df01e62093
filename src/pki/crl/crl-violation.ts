import type { CaCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { type CertificationPath, type PathViolation, pathViolation } from '../path/path.ts';
import type { Crl } from './crl.ts';

const SECTION = 'RFC 5280 §6.3.3';

/** Lists whose signature was checked, by the public key of the CA that signed them (SHA-256, base64url). */
export type VerifiedCrls = ReadonlyMap<string, { readonly crl: Crl }>;

/**
 * Why a path does not count by what its CAs revoked: of each certificate but the anchor, its issuer is asked. It takes
 * no more than look-ups in memory.
 *
 * @param now milliseconds since the epoch
 */
export function crlViolation(
  path: CertificationPath,
  lists: VerifiedCrls,
  policy: CrlPolicy,
  now: number,
): PathViolation | undefined {
  for (const [position, issuer] of path.caCertificates.entries()) {
    const certificate = path.caCertificates[position - 1] ?? path.leaf;
    const problem = problemOf(certificate, issuer, lists, policy, now);
    if (problem !== undefined) return pathViolation(path, position, problem, SECTION);
  }
  return undefined;
}

function problemOf(
  certificate: Certificate,
  { subjectText, publicKeyThumbprint }: CaCertificate,
  lists: VerifiedCrls,
  policy: CrlPolicy,
  now: number,
): string | undefined {
  const { mode, maxStalenessMilliseconds } = crlPolicyFor(policy, publicKeyThumbprint);
  if (mode === 'off') return undefined;
  const crl = lists.get(publicKeyThumbprint)?.crl;
  if (crl?.revoked.has(Buffer.from(certificate.serialNumber, 'hex'))) return `is revoked by CA "${subjectText}"`;
  if (mode === 'prefer') return undefined;
  const required = `and COUNTERSIGN_CRL_MODE requires a CRL of CA "${subjectText}"`;
  if (!crl) return `may be revoked: there is no CRL, ${required}`;
  if (now < crl.thisUpdate)
    return `may be revoked: the CRL is of ${instant(crl.thisUpdate)}, later than now, ${required}`;
  if (now <= crl.nextUpdate + maxStalenessMilliseconds) return undefined;
  return `may be revoked: the CRL counted until ${instant(crl.nextUpdate)}, ${required}`;
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Whether a certificate counts of whose issuer there is no CRL that still counts. */
export type CrlMode =
  /** No. */
  | 'require'
  /** Yes; what a CRL says, also one that is too old, is believed. */
  | 'prefer'
  /** Nobody asks: not even a CRL that is there counts. */
  | 'off';

export const crlModes = ['require', 'prefer', 'off'] as const satisfies CrlMode[];

export interface CaCrlPolicy {
  readonly mode: CrlMode;
  /** For how long after its nextUpdate a CRL still counts. */
  readonly maxStalenessMilliseconds: number;
}

/** For every CA, and for single ones, which are known by their public key (SHA-256, base64url). */
export interface CrlPolicy {
  readonly byDefault: CaCrlPolicy;
  readonly byCa: ReadonlyMap<string, CaCrlPolicy>;
}

export function crlPolicyFor(policy: CrlPolicy, publicKeyThumbprint: string): CaCrlPolicy {
  return policy.byCa.get(publicKeyThumbprint) ?? policy.byDefault;
}
