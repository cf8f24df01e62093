import type { InvalidClientCode } from '../../reasons/reasons.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { type BuiltPaths, buildPaths } from './build-paths.ts';
import { type CertificationPath, describePath, describePathViolation, type PathViolation } from './path.ts';
import { validityViolation } from './rules.ts';
import type { TrustStore } from './trust-store.ts';

/** A leaf and the certificates sent with it. The same object as long as the pair is cached. */
export interface PresentedChain {
  readonly certificate: Certificate;
  /** DER, without the leaf. */
  readonly chain: readonly Uint8Array[];
}

/** Whether the chain of a certificate is verified, with a reason for operators. */
export type ChainStatus =
  /** `isFinal`: the terminator rejected the certificate itself, so that it does not count even if it is registered. */
  | { readonly verified: false; readonly code: InvalidClientCode; readonly reason: string; readonly isFinal?: boolean }
  /** `paths`: all that are valid now. Undefined if the terminator verified the chain: then no path is known. */
  | { readonly verified: true; readonly reason: string; readonly paths: readonly CertificationPath[] | undefined };

/** @param now milliseconds since the epoch */
export type VerifyChain = (presented: PresentedChain, now: number) => ChainStatus;

/**
 * Creates a function that verifies chains to the anchors of a trust store. Path building, which verifies signatures,
 * happens once per chain and trust store; rules that depend on the time are checked on every call.
 *
 * @param currentTrust the current trust store: a different object when anything in it has changed
 * @param crlViolation why the CRLs of its CAs make a path invalid
 */
export function createChainVerifier(
  currentTrust: () => TrustStore,
  crlViolation: CheckPath = noViolation,
): VerifyChain {
  const cache = new WeakMap<PresentedChain, BuiltPaths & { readonly trust: TrustStore }>();
  const cachedPaths = (presented: PresentedChain) => {
    const trust = currentTrust();
    const cached = cache.get(presented);
    if (cached?.trust === trust) return cached;
    const built = { ...buildPaths(presented.certificate, presented.chain, trust), trust };
    cache.set(presented, built);
    return built;
  };
  return (presented, now) => selectValidPaths(cachedPaths(presented), now, crlViolation);
}

/** @param now milliseconds since the epoch */
type CheckPath = (path: CertificationPath, now: number) => PathViolation | undefined;

const noViolation: CheckPath = () => undefined;

/** Selects the paths that are valid at this time. */
export function selectValidPaths(
  { paths, violation }: BuiltPaths,
  now: number,
  crlViolation: CheckPath = noViolation,
): ChainStatus {
  const valid: CertificationPath[] = [];
  let firstViolation: PathViolation | undefined;
  for (const path of paths) {
    const current = validityViolation(path, now) ?? crlViolation(path, now);
    if (!current) valid.push(path);
    firstViolation ??= current;
  }
  const [path] = valid;
  if (path) return { verified: true, reason: describePath(path), paths: valid };
  const reported = firstViolation ?? violation;
  if (reported) return { verified: false, code: reported.code, reason: describePathViolation(reported) };
  return { verified: false, code: 'path_issuer_unknown', reason: 'no path to a trust anchor was found' };
}
