import type { InvalidClientCode } from '../../reasons/reasons.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { type BuiltPaths, buildPaths } from './build-paths.ts';
import { type CertificationPath, describePath, describePathViolation, type PathViolation } from './path.ts';
import { RecentFailures } from './recent-failures.ts';
import { validityViolation } from './rules.ts';
import type { TrustStore } from './trust-store.ts';
import { ValidationPace } from './validation-pace.ts';

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
  /** Undefined if too many are waiting. */
  readonly validate: () => Promise<ChainStatus> | undefined;
  /** For a request that is rejected anyway: takes about as long, without the work. */
  readonly pause: () => Promise<void>;
}

/** @param now milliseconds since the epoch */
export type VerifyChain = (presented: PresentedChain, now: number) => ChainStatus;

/**
 * Creates a function that verifies chains to the anchors of a trust store. Path building, which verifies signatures,
 * happens once per chain and trust store; rules that depend on the time are checked on every call. Searches that fail are
 * limited in their share of CPU time: beyond it, the status is that of a postponed validation.
 *
 * @param currentTrust the current trust store: a different object when anything in it has changed
 * @param crlViolation why the CRLs of its CAs make a path invalid
 */
export function createChainVerifier(
  currentTrust: () => TrustStore,
  crlViolation: CheckPath = noViolation,
): VerifyChain {
  const cache = new WeakMap<PresentedChain, BuiltPaths & { readonly trust: TrustStore }>();
  const failures = new RecentFailures();
  const pace = new ValidationPace();
  const findPaths = (presented: PresentedChain, now: number): BuiltPaths | undefined => {
    const trust = currentTrust();
    const cached = cache.get(presented);
    return cached?.trust === trust ? cached : failures.find(presented.certificate.thumbprint, trust, now);
  };
  const searchPaths = (presented: PresentedChain, now: number): BuiltPaths => {
    const { certificate, chain } = presented;
    const trust = currentTrust();
    const built = pace.run(
      () => buildPaths(certificate, chain, trust),
      ({ paths }) => paths.length === 0,
    );
    cache.set(presented, { ...built, trust });
    if (built.paths.length === 0 && built.isCostly) failures.add(certificate.thumbprint, trust, built, now);
    return built;
  };
  return (presented, now) => {
    const known = findPaths(presented, now) ?? (pace.isFree ? searchPaths(presented, now) : undefined);
    if (known) return selectValidPaths(known, now, crlViolation);
    // Another request may have validated it meanwhile.
    const validate = () =>
      selectValidPaths(findPaths(presented, now) ?? searchPaths(presented, now), now, crlViolation);
    return { ...notValidated, postponed: { validate: () => pace.inTurn(validate), pause: () => pace.pause() } };
  };
}

const notValidated = {
  verified: false,
  code: 'path_validation_postponed',
  reason: 'its path was not validated, since other validations take too much time',
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
