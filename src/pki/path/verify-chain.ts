import type { Certificate } from '../certificate/certificate.ts';
import { type BuiltPaths, buildPaths } from './build-paths.ts';
import { type CertificationPath, describePath, describePathViolation, type PathViolation } from './path.ts';
import { validityViolation } from './rules.ts';
import type { TrustStore } from './trust-store.ts';

/** A leaf and what came with it; one object for as long as the pair is remembered. */
export interface PresentedChain {
  readonly certificate: Certificate;
  /** DER, without the leaf. */
  readonly chain: readonly Uint8Array[];
}

/** Whether the chain of a certificate is verified, and how to say so to an operator. */
export type ChainStatus =
  | { readonly verified: false; readonly reason: string }
  /** `paths`: all that hold now. Undefined where somebody else verified the chain: then no path is known. */
  | { readonly verified: true; readonly reason: string; readonly paths: readonly CertificationPath[] | undefined };

/** @param now milliseconds since the epoch */
export type VerifyChain = (presented: PresentedChain, now: number) => ChainStatus;

/**
 * Verifies chains to the anchors of a store. The search for paths, which costs signature checks, is done once for each
 * certificate and store; what depends on the time is asked again each time.
 *
 * @param currentTrust the store of this moment: another object when anything in it has changed
 * @param revocationFault why a path does not count by what its CAs revoked; asked each time
 */
export function createChainVerifier(currentTrust: () => TrustStore, revocationFault: FaultAt = nothing): VerifyChain {
  const remembered = new WeakMap<PresentedChain, BuiltPaths & { readonly trust: TrustStore }>();
  const find = (presented: PresentedChain) => {
    const trust = currentTrust();
    const known = remembered.get(presented);
    if (known?.trust === trust) return known;
    const found = { ...buildPaths(presented.certificate, presented.chain, trust), trust };
    remembered.set(presented, found);
    return found;
  };
  return (presented, now) => selectValidPaths(find(presented), now, revocationFault);
}

type FaultAt = (path: CertificationPath, now: number) => PathViolation | undefined;

const nothing = () => undefined;

/** Which of the paths hold at this time. */
export function selectValidPaths(
  { paths, violation }: BuiltPaths,
  now: number,
  revocationFault: FaultAt = nothing,
): ChainStatus {
  const holding: CertificationPath[] = [];
  let firstFault: PathViolation | undefined;
  for (const path of paths) {
    const broken = validityViolation(path, now) ?? revocationFault(path, now);
    if (!broken) holding.push(path);
    firstFault ??= broken;
  }
  const [path] = holding;
  if (path) return { verified: true, reason: describePath(path), paths: holding };
  const reason = firstFault ?? violation;
  return { verified: false, reason: reason ? describePathViolation(reason) : 'no path to an anchor was found' };
}
