import type { CaCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { namesChain } from '../certificate/names/distinguished-name.ts';
import { ALL_REASONS, describeReasons } from '../certificate/revocation-reasons.ts';
import { type CertificationPath, type PathViolation, pathViolation } from '../path/path.ts';
import { coverageOf, describeCrl, type IssuerCrls, listed } from './crl-coverage.ts';
import type { CrlCollection, StoredCrl } from './crl-store.ts';

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

/**
 * Checks each certificate of a path except the anchor against the CRLs of its issuer. All data is in memory.
 *
 * @param now milliseconds since the epoch
 */
export function crlViolation(
  path: CertificationPath,
  crls: CrlCollection,
  policy: CrlPolicy,
  now: number,
): PathViolation | undefined {
  for (const [position, issuer] of path.caCertificates.entries()) {
    const certificate = path.caCertificates[position - 1] ?? path.leaf;
    const { mode, maxStalenessMilliseconds } = crlPolicyFor(policy, issuer.publicKeyThumbprint);
    if (mode === 'off') continue;
    const own = crlsOf(issuer, crls);
    if (isRevoked(certificate, own)) {
      const problem = `is revoked by CA "${issuer.subjectText}"`;
      return pathViolation(path, position, { code: 'path_revoked', problem, section: 'RFC 5280 §6.3.3' });
    }
    if (mode !== 'require') continue;
    const reason =
      own.crls.length === 0
        ? noCrlReason(issuer, crls)
        : undeterminedReason(certificate, own, now - maxStalenessMilliseconds, now);
    if (reason === undefined) continue;
    const problem = `has an unknown revocation status: ${reason}`;
    const section = 'COUNTERSIGN_CRL_MODE=require, RFC 5280 §6.3.3';
    return pathViolation(path, position, { code: 'path_revocation_unknown', problem, section });
  }
  return undefined;
}

/**
 * The CRLs that this CA signed with this key. A CRL by another key of the same name does not count: CAs that change their
 * key publish one CRL per key, and nothing distinguishes them from another CA of the same name.
 */
function crlsOf({ publicKeyThumbprint, subject }: CaCertificate, { byCa, missingSources }: CrlCollection): IssuerCrls {
  const crls = byCa.get(publicKeyThumbprint)?.filter(({ issuer }) => namesChain(issuer, subject));
  return { crls: crls ?? [], missingSources };
}

/** On any CRL, whatever its scope: the serial numbers of a CA are unique. */
function isRevoked({ serialNumber }: Certificate, { crls }: IssuerCrls): boolean {
  const serial = Buffer.from(serialNumber, 'hex');
  return crls.some(({ crl }) => crl.revoked.has(serial));
}

function noCrlReason({ subject, subjectText }: CaCertificate, { byCa }: CrlCollection): string {
  const none = `there is no CRL of CA "${subjectText}"`;
  const namesake = [...byCa.values()].flat().find(({ issuer }) => namesChain(issuer, subject));
  if (!namesake) return none;
  return `${none} that its key signed; there is one by another key of that name, ${namesake.publicKeyThumbprint}`;
}

/**
 * Why the CRLs of a CA do not determine the status of a certificate that is on none of them.
 *
 * @param expiry CRLs whose nextUpdate is before this time have expired
 */
function undeterminedReason(
  certificate: Certificate,
  own: IssuerCrls,
  expiry: number,
  now: number,
): string | undefined {
  let reasons = 0;
  const failed: { readonly stored: StoredCrl; readonly problem: () => string }[] = [];
  for (const stored of own.crls) {
    const coverage = coverageOf(certificate, stored, own);
    const problem = coverage.covers ? timeProblem(stored, expiry, now) : coverage.problem;
    if (problem !== undefined) failed.push({ stored, problem });
    else if (coverage.covers) reasons |= coverage.reasons;
  }
  if (reasons === ALL_REASONS) return undefined;
  const problems = failed.map(({ stored, problem }) => `${describeCrl(stored)} ${problem()}`);
  const missing = `no CRL lists it for the reasons ${describeReasons(ALL_REASONS & ~reasons)}`;
  return listed(reasons === 0 && problems.length > 0 ? problems : [missing, ...problems], '; ');
}

function timeProblem({ crl: { thisUpdate, nextUpdate } }: StoredCrl, expiry: number, now: number) {
  if (now < thisUpdate) return () => `is not valid before ${new Date(thisUpdate).toISOString()}`;
  return nextUpdate < expiry ? () => `expired at ${new Date(nextUpdate).toISOString()}` : undefined;
}
