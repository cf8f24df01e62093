import type { InvalidClientCode } from '../../reasons/reasons.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { type BuiltPaths, runToEnd, searchPaths } from './build-paths.ts';
import { CpuShare, recentCpuUsage, startCpuTimer } from './cpu-share.ts';
import { type CertificationPath, describePath, describePathViolation, type PathViolation } from './path.ts';
import { RecentSearches } from './recent-searches.ts';
import { validityViolation } from './rules.ts';
import { type Search, SearchQueue } from './search-queue.ts';
import type { TrustStore } from './trust-store.ts';
import { WaitingRoom } from './waiting-room.ts';

/** A leaf and the certificates sent with it. The same object as long as the pair is cached. */
export interface PresentedChain {
  readonly certificate: Certificate;
  /** DER, without the leaf. */
  readonly chain: readonly Uint8Array[];
}

/** Whether the chain of a certificate is verified, with a reason for operators. */
export type ChainStatus =
  | {
      readonly verified: false;
      readonly code: InvalidClientCode;
      readonly reason: string;
      /** The terminator rejected the certificate itself, so that it does not count even if it is registered. */
      readonly isFinal?: boolean;
      /** Undefined unless the chain was not validated because the validations before it took too long. */
      readonly postponed?: PostponedValidation;
    }
  /** `paths`: all that are valid now. Undefined if the terminator verified the chain: then no path is known. */
  | { readonly verified: true; readonly reason: string; readonly paths: readonly CertificationPath[] | undefined };

/** A validation that waits for those before it. It is worth its time only if nothing else rejects the request. */
export interface PostponedValidation {
  /** The promise stays pending if too many others are waiting. */
  readonly validate: () => Promise<ChainStatus>;
  /** For all requests whose validation was postponed. */
  readonly waitingRoom: WaitingRoom;
}

/** @param now milliseconds since the epoch */
export type VerifyChain = (presented: PresentedChain, now: number) => ChainStatus;

/** The share of CPU time of the searches that block everything else, unless they are ordinary: of one request in 100. */
const SHARE_AT_ONCE = 0.004;
/** How much of it may be used in advance, in milliseconds: clients that are misconfigured are not an attack. */
const BURST_AT_ONCE = 10;

/**
 * Creates a function that verifies chains to the anchors of a trust store. Path building, which verifies signatures,
 * happens once per chain and trust store; rules that depend on the time are checked on every call. Searches that anyone can
 * cause are limited in their share of CPU time: beyond it, the status is that of a postponed validation.
 *
 * @param currentTrust the current trust store: a different object when anything in it has changed
 * @param crlViolation why the CRLs of its CAs make a path invalid
 * @param waitingRoom where requests wait for a postponed validation
 * @param atOnce the CPU time of searches that block everything else
 */
export function createChainVerifier(
  currentTrust: () => TrustStore,
  crlViolation: CheckPath = noViolation,
  waitingRoom = new WaitingRoom(),
  atOnce = new CpuShare(SHARE_AT_ONCE, BURST_AT_ONCE),
): VerifyChain {
  const cache = new WeakMap<PresentedChain, FoundPaths>();
  const recent = new RecentSearches();
  const queue = new SearchQueue<FoundPaths>(isOrdinary);

  const findPaths = (presented: PresentedChain, now: number): BuiltPaths | undefined => {
    const trust = currentTrust();
    const cached = cache.get(presented);
    if (cached?.trust === trust) return cached;
    const found = recent.find(presented.certificate.thumbprint, trust, now);
    return found?.isCostly ? found : undefined;
  };
  const search = function* (presented: PresentedChain, now: number): Search<FoundPaths> {
    const { certificate, chain } = presented;
    const trust = currentTrust();
    const isRepeated = recent.find(certificate.thumbprint, trust, now) !== undefined;
    const { paths, violation, isCostly, isBrief } = yield* searchPaths(certificate, chain, trust);
    const found = { paths, violation, isCostly, isBrief, trust, isRepeated };
    cache.set(presented, found);
    // Most clients send no chain: then there is no other arrangement of it to search.
    if (chain.length > 0 || !found.isBrief) recent.add(certificate.thumbprint, trust, found, now);
    return found;
  };
  const searchAtOnce = (presented: PresentedChain, now: number): BuiltPaths => {
    // Of most searches, the CPU time does not count.
    const used = startCpuTimer(recentCpuUsage());
    const found = runToEnd(search(presented, now));
    if (!isOrdinary(found)) atOnce.use(used());
    return found;
  };
  const searchInTurn = async (presented: PresentedChain, now: number): Promise<ChainStatus> => {
    const found = await queue.run(presented.certificate.thumbprint, () => search(presented, now));
    return found.trust === currentTrust() ? selectValidPaths(found, now, crlViolation) : notValidated;
  };

  return (presented, now) => {
    const known = findPaths(presented, now) ?? (atOnce.untilFree === 0 ? searchAtOnce(presented, now) : undefined);
    if (known) return selectValidPaths(known, now, crlViolation);
    return { ...notValidated, postponed: { validate: () => searchInTurn(presented, now), waitingRoom } };
  };
}

interface FoundPaths extends BuiltPaths {
  readonly trust: TrustStore;
  /** The same leaf was searched a moment ago, with another chain. */
  readonly isRepeated: boolean;
}

/**
 * Whether every client causes such a search, once: if its certificate is accepted, or if a mistake makes it unacceptable. Anyone
 * can cause one that fails, but a brief one is no worse than any other request, and its reason should be reported. A client
 * can send any number of chains with its certificate.
 */
function isOrdinary({ paths, isCostly, isBrief, isRepeated }: FoundPaths): boolean {
  return !isRepeated && (paths.length > 0 ? !isCostly : isBrief);
}

const notValidated = {
  verified: false,
  code: 'path_validation_postponed',
  reason: 'its path was not validated, since others take too much time',
} as const;

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
