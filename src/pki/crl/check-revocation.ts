import type { AuthorityCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { faultOf, type Path, type PathFault } from '../path/path.ts';
import type { RevocationList } from './crl.ts';

const SECTION = 'RFC 5280 §6.3.3';

/** Lists whose signature was checked, by the public key of the CA that signed them (SHA-256, base64url). */
export type VerifiedLists = ReadonlyMap<string, { readonly list: RevocationList }>;

/**
 * Why a path does not count by what its CAs revoked: of each certificate but the anchor, its issuer is asked. It takes
 * no more than look-ups in memory.
 *
 * @param now milliseconds since the epoch
 */
export function revocationFault(
  path: Path,
  lists: VerifiedLists,
  policy: RevocationPolicy,
  now: number,
): PathFault | undefined {
  for (const [position, issuer] of path.authorities.entries()) {
    const certificate = path.authorities[position - 1] ?? path.leaf;
    const problem = problemOf(certificate, issuer, lists, policy, now);
    if (problem !== undefined) return faultOf(path, position, problem, SECTION);
  }
  return undefined;
}

function problemOf(
  certificate: Certificate,
  { subjectText, publicKeyThumbprint }: AuthorityCertificate,
  lists: VerifiedLists,
  policy: RevocationPolicy,
  now: number,
): string | undefined {
  const { mode, maxStalenessMilliseconds } = policyOf(policy, publicKeyThumbprint);
  if (mode === 'off') return undefined;
  const list = lists.get(publicKeyThumbprint)?.list;
  if (list?.revoked.has(Buffer.from(certificate.serialNumber, 'hex'))) return `is revoked by CA "${subjectText}"`;
  if (mode === 'prefer') return undefined;
  const required = `and COUNTERSIGN_REVOCATION requires a CRL of CA "${subjectText}"`;
  if (!list) return `may be revoked: there is no CRL, ${required}`;
  if (now < list.thisUpdate)
    return `may be revoked: the CRL is of ${instant(list.thisUpdate)}, later than now, ${required}`;
  if (now <= list.nextUpdate + maxStalenessMilliseconds) return undefined;
  return `may be revoked: the CRL counted until ${instant(list.nextUpdate)}, ${required}`;
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Whether a certificate counts of whose issuer there is no CRL that still counts. */
export type RevocationMode =
  /** No. */
  | 'require'
  /** Yes; what a CRL says, also one that is too old, is believed. */
  | 'prefer'
  /** Nobody asks: not even a CRL that is there counts. */
  | 'off';

export const revocationModes = ['require', 'prefer', 'off'] as const satisfies RevocationMode[];

export interface IssuerPolicy {
  readonly mode: RevocationMode;
  /** For how long after its nextUpdate a CRL still counts. */
  readonly maxStalenessMilliseconds: number;
}

/** For every CA, and for single ones, which are known by their public key (SHA-256, base64url). */
export interface RevocationPolicy {
  readonly usual: IssuerPolicy;
  readonly ofAuthority: ReadonlyMap<string, IssuerPolicy>;
}

export function policyOf(policy: RevocationPolicy, publicKeyThumbprint: string): IssuerPolicy {
  return policy.ofAuthority.get(publicKeyThumbprint) ?? policy.usual;
}
