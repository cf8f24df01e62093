import type { InvalidClientCode } from '../../reasons/reasons.ts';
import { abbreviate } from '../../text.ts';
import { type CaCertificate, compareExpiry, parseCaCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { requireCertificateSize } from '../certificate/client-certificate.ts';
import { formatDistinguishedName, namesChain } from '../certificate/names/distinguished-name.ts';
import { sha256Thumbprint } from '../certificate/thumbprint.ts';
import { type CertificationPath, type PathViolation, pathViolation } from './path.ts';
import { firstViolation } from './rules.ts';
import { createSearchBudget, isBrief } from './search-budget.ts';
import type { Search } from './search-queue.ts';
import type { TrustStore } from './trust-store.ts';

/** The result of path building. It does not depend on the time: validity periods are checked on each request. */
export interface BuiltPaths {
  readonly paths: readonly CertificationPath[];
  /** Why there are no (further) paths: the violation of the attempt that came closest to an anchor. */
  readonly violation: PathViolation | undefined;
  /** Whether the search verified more signatures than that for an ordinary chain. */
  readonly isCostly: boolean;
  /** Whether the search took about as long as parsing the leaf. */
  readonly isBrief: boolean;
}

/** The maximum number of CA certificates in a path, including the anchor. */
const MAX_CA_CERTIFICATES = 6;
/** A mesh of a few certificates has many paths through it, even without any new signature to verify. */
const MAX_STEPS = 400;
/** How many forwarded certificates a client of a usual PKI sends with its own. */
const BRIEF_CHAIN = 3;
/** One path may expire, be revoked, or lack the CA to which a client is pinned, so several are built. */
const MAX_PATHS = 8;

/**
 * Builds the paths from a leaf to the anchors, with backtracking over issuers of the same name (RFC 4158 §2.2). It
 * verifies at most 40 signatures, and fewer on slow curves, even for hostile certificates.
 *
 * @param forwarded the DER certificates that the client sent with its own: they can complete a path, and are never
 *   trusted
 */
export function buildPaths(leaf: Certificate, forwarded: readonly Uint8Array[], trust: TrustStore): BuiltPaths {
  return runToEnd(searchPaths(leaf, forwarded, trust));
}

export function runToEnd<Result>(search: Search<Result>): Result {
  for (;;) {
    const step = search.next();
    if (step.done) return step.value;
  }
}

/**
 * As {@link buildPaths}, in steps of at most one signature or one parsed certificate. A whole search can take 16 ms, during
 * which a process does nothing else.
 */
export function* searchPaths(
  leaf: Certificate,
  forwarded: readonly Uint8Array[],
  trust: TrustStore,
): Search<BuiltPaths> {
  return yield* new PathSearch(leaf, yield* parseForwardedCas(forwarded, trust), trust).run();
}

class PathSearch {
  readonly #leaf: Certificate;
  readonly #forwarded: ForwardedCas;
  readonly #trust: TrustStore;
  readonly #paths: CertificationPath[] = [];
  readonly #budget = createSearchBudget();
  #steps = 0;
  #closest: { readonly violation: PathViolation; readonly progress: number } | undefined;

  constructor(leaf: Certificate, forwarded: ForwardedCas, trust: TrustStore) {
    this.#leaf = leaf;
    this.#forwarded = forwarded;
    this.#trust = trust;
  }

  *run(): Search<BuiltPaths> {
    yield* this.#extend([]);
    const { isCostly } = this.#budget.signatures;
    const { caCertificates, ignored } = this.#forwarded;
    return {
      paths: this.#paths,
      violation: this.#closest?.violation,
      isCostly,
      isBrief: isBrief(this.#budget) && caCertificates.length + ignored.length <= BRIEF_CHAIN,
    };
  }

  /** Extends a partial path from its last CA certificate, or from the leaf if it is empty. */
  *#extend(cas: readonly CaCertificate[]): Search<void> {
    const child = cas.at(-1) ?? this.#leaf;
    const candidates = this.#issuersOf(child).filter((issuer) => !occursIn(cas, issuer));
    if (child.signatureAlgorithm === undefined) {
      this.#fail(
        cas,
        'path_signature_weak',
        'is signed with an algorithm that is not accepted (SHA-1, MD5 or unknown)',
        '§6.1.3 (a)(1)',
      );
    } else if (candidates.length === 0) {
      this.#fail(cas, 'path_issuer_unknown', this.#missingIssuer(child), '§6.1.3 (a)(4)');
    } else if (cas.length === MAX_CA_CERTIFICATES) {
      this.#fail(
        cas,
        'path_too_long',
        `makes the path too long: no trust anchor within ${MAX_CA_CERTIFICATES} CA certificates`,
        '§6.1',
      );
    } else {
      for (const issuer of candidates) {
        yield;
        yield* this.#tryIssuer(cas, child, issuer);
      }
    }
  }

  *#tryIssuer(cas: readonly CaCertificate[], child: Certificate, issuer: CaCertificate): Search<void> {
    if (this.#paths.length === MAX_PATHS) return;
    this.#steps += 1;
    const isSigned = this.#steps > MAX_STEPS ? undefined : this.#budget.signatures.isSignedBy(child, issuer);
    if (isSigned === undefined) {
      this.#fail(cas, 'path_search_stopped', 'has too many possible issuers: the search was stopped', '§6.1');
    } else if (!isSigned) {
      this.#fail(
        cas,
        'path_signature_invalid',
        `is not signed by the key of its issuer "${issuer.subjectText}"`,
        '§6.1.3 (a)(1)',
      );
    } else if (this.#trust.isAnchor(issuer)) {
      this.#complete({ leaf: this.#leaf, caCertificates: [...cas, issuer] });
    } else {
      yield* this.#extend([...cas, issuer]);
    }
  }

  #complete(path: CertificationPath): void {
    const violation = this.#validate(path);
    if (violation) this.#record(violation, MAX_CA_CERTIFICATES + 1);
    else this.#paths.push(path);
  }

  #validate(path: CertificationPath): PathViolation | undefined {
    try {
      return firstViolation(path, this.#budget);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      const problem = `has ${error.message}`;
      return pathViolation(path, 0, { code: 'path_search_stopped', problem, section: 'RFC 5280 §4.2.1.10' });
    }
  }

  /**
   * Configured anchors, configured intermediates, then forwarded ones, of each those that expire last first; matching key
   * identifiers before all others.
   */
  #issuersOf(child: Certificate): CaCertificate[] {
    const sent = this.#forwarded.caCertificates.filter(({ subject }) => namesChain(child.issuer, subject));
    const all = [...this.#trust.findBySubject(child.issuer), ...sent];
    if (all.length < 2) return all;
    const expected = child.authorityKeyIdentifier;
    const isHinted = ({ subjectKeyIdentifier }: CaCertificate) =>
      expected !== undefined && subjectKeyIdentifier === expected;
    return [...all.filter(isHinted), ...all.filter((issuer) => !isHinted(issuer))];
  }

  #missingIssuer({ issuer }: Certificate): string {
    if (issuer.rdns.length === 0) return 'has an empty issuer name, which names no CA';
    const name = abbreviate(formatDistinguishedName(issuer));
    const missing = `has no known issuer: "${name}" is neither configured nor forwarded`;
    const hint =
      issuer.canonical === undefined ? [`this name chains only to the same bytes: ${issuer.unmatchableReason}`] : [];
    return [missing, ...hint, ...this.#forwarded.ignored].join('; ');
  }

  #fail(cas: readonly CaCertificate[], code: InvalidClientCode, problem: string, paragraph: string): void {
    const position = cas.length;
    const partialPath = { leaf: this.#leaf, caCertificates: cas };
    this.#record(pathViolation(partialPath, position, { code, problem, section: `RFC 5280 ${paragraph}` }), position);
  }

  #record(violation: PathViolation, progress: number): void {
    if (this.#closest === undefined || progress > this.#closest.progress) this.#closest = { violation, progress };
  }
}

/** A path that returns to the same name and key would be a loop (RFC 4158 §2.4.2). */
function occursIn(cas: readonly CaCertificate[], issuer: CaCertificate): boolean {
  return cas.some(
    ({ subject, publicKeyThumbprint }) =>
      publicKeyThumbprint === issuer.publicKeyThumbprint && namesChain(issuer.subject, subject),
  );
}

/** CA certificates that the client sent with its own: they can complete a path, and are never trusted. */
interface ForwardedCas {
  readonly caCertificates: readonly CaCertificate[];
  /** Which certificates were ignored, and why. */
  readonly ignored: readonly string[];
}

/** Most clients send no chain. */
const NO_FORWARDED_CAS: ForwardedCas = { caCertificates: [], ignored: [] };

/**
 * Parses the forwarded CA certificates that are not configured anyway.
 *
 * @param forwarded DER, without the leaf
 */
function* parseForwardedCas(forwarded: readonly Uint8Array[], trust: TrustStore): Search<ForwardedCas> {
  if (forwarded.length === 0) return NO_FORWARDED_CAS;
  const parsed = new Map<string, CaCertificate>();
  const ignored: string[] = [];
  for (const [index, der] of forwarded.entries()) {
    const thumbprint = sha256Thumbprint(der);
    if (trust.has(thumbprint) || parsed.has(thumbprint)) continue;
    yield;
    const ca = parseCaOrExplain(der);
    if (typeof ca === 'string') ignored.push(`forwarded certificate ${index + 1} ${ca}`);
    else parsed.set(thumbprint, ca);
  }
  return { caCertificates: [...parsed.values()].sort(compareExpiry), ignored };
}

function parseCaOrExplain(der: Uint8Array): CaCertificate | string {
  try {
    requireCertificateSize(der);
    return parseCaCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}
