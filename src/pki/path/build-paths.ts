import { type KeyObject, X509Certificate } from 'node:crypto';
import { abbreviate } from '../../text.ts';
import { type CaCertificate, parseCaCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { formatDistinguishedName, sameDistinguishedName } from '../certificate/names/distinguished-name.ts';
import { NameComparisons } from './name-constraint-rule.ts';
import { type CertificationPath, type PathViolation, pathViolation } from './path.ts';
import { firstViolation } from './rules.ts';
import type { TrustStore } from './trust-store.ts';

/** What came of a search. It does not depend on the time: whether a path is valid now is asked on each request. */
export interface BuiltPaths {
  readonly paths: readonly CertificationPath[];
  /** Why there is none, or no more: the fault of the attempt that came furthest. */
  readonly violation: PathViolation | undefined;
}

/** An anchor is at most so many certificates above the leaf. */
const MAX_DEPTH = 6;
/** A mesh of few certificates has many ways through it, of which no new signature is checked. */
const MAX_STEPS = 400;
/** Of several paths one may expire, be revoked, or lack the CA that a client is pinned to: so all are found, up to this. */
const MAX_PATHS = 8;

/**
 * Finds the paths from a leaf to the anchors, with backtracking over issuers of the same name (RFC 4158 §2.2). However
 * hostile the certificates are, there are at most 40 signature checks.
 *
 * @param forwarded what the client sent beside its certificate, DER: it can help to find a path, and is never trusted
 */
export function buildPaths(leaf: Certificate, forwarded: readonly Uint8Array[], trust: TrustStore): BuiltPaths {
  return new Search(leaf, parseForwardedCas(forwarded, trust), trust).run();
}

class Search {
  readonly #leaf: Certificate;
  readonly #forwarded: ForwardedCas;
  readonly #trust: TrustStore;
  readonly #paths: CertificationPath[] = [];
  readonly #comparisons = new NameComparisons();
  readonly #signatures = new SignatureChecks();
  #steps = 0;
  #fault: { readonly fault: PathViolation; readonly progress: number } | undefined;

  constructor(leaf: Certificate, forwarded: ForwardedCas, trust: TrustStore) {
    this.#leaf = leaf;
    this.#forwarded = forwarded;
    this.#trust = trust;
  }

  run(): BuiltPaths {
    this.#extend([]);
    return { paths: this.#paths, violation: this.#fault?.fault };
  }

  /** Goes on from the last authority, or from the leaf where there is none yet. */
  #extend(authorities: readonly CaCertificate[]): void {
    const child = authorities.at(-1) ?? this.#leaf;
    const candidates = this.#issuersOf(child).filter((issuer) => !occursIn(authorities, issuer));
    if (child.signatureAlgorithm === undefined) {
      this.#fail(
        authorities,
        'is signed with an algorithm that is not accepted (SHA-1, MD5 or unknown)',
        '§6.1.3 (a)(1)',
      );
    } else if (candidates.length === 0) {
      this.#fail(authorities, this.#noIssuer(child), '§6.1.3 (a)(4)');
    } else if (authorities.length === MAX_DEPTH) {
      this.#fail(authorities, `is ${MAX_DEPTH} above the certificate, and still no anchor`, '§6.1');
    } else {
      for (const issuer of candidates) this.#tryIssuer(authorities, child, issuer);
    }
  }

  #tryIssuer(authorities: readonly CaCertificate[], child: Certificate, issuer: CaCertificate): void {
    if (this.#paths.length === MAX_PATHS) return;
    this.#steps += 1;
    const isSigned = this.#steps > MAX_STEPS ? undefined : this.#signatures.isSignedBy(child, issuer);
    if (isSigned === undefined) {
      this.#fail(authorities, 'has too many possible issuers: the search was given up', '§6.1');
    } else if (!isSigned) {
      this.#fail(authorities, `is not signed by the key of its issuer "${issuer.subjectText}"`, '§6.1.3 (a)(1)');
    } else if (this.#trust.isAnchor(issuer)) {
      this.#complete({ leaf: this.#leaf, caCertificates: [...authorities, issuer] });
    } else {
      this.#extend([...authorities, issuer]);
    }
  }

  #complete(path: CertificationPath): void {
    const fault = this.#brokenRule(path);
    if (fault) this.#remember(fault, MAX_DEPTH + 1);
    else this.#paths.push(path);
  }

  #brokenRule(path: CertificationPath): PathViolation | undefined {
    try {
      return firstViolation(path, this.#comparisons);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      return pathViolation(path, 0, `has ${error.message}`, 'RFC 5280 §4.2.1.10');
    }
  }

  /** Anchors first, then configured intermediates, then forwarded ones; within each those whose key identifier fits. */
  #issuersOf(child: Certificate): CaCertificate[] {
    const sent = this.#forwarded.caCertificates.filter(({ subject }) => sameDistinguishedName(subject, child.issuer));
    const all = [...this.#trust.findBySubject(child.issuer), ...sent];
    const wanted = child.authorityKeyIdentifier;
    const isHinted = ({ subjectKeyIdentifier }: CaCertificate) =>
      wanted !== undefined && subjectKeyIdentifier === wanted;
    return [...all.filter(isHinted), ...all.filter((issuer) => !isHinted(issuer))];
  }

  #noIssuer({ issuer }: Certificate): string {
    if (issuer.canonical === undefined) return `has an issuer that matches nobody: ${issuer.unmatchableReason}`;
    const missing = `has no issuer: "${abbreviate(formatDistinguishedName(issuer))}" is neither configured nor was it forwarded`;
    return [missing, ...this.#forwarded.ignored].join('; ');
  }

  #fail(authorities: readonly CaCertificate[], problem: string, paragraph: string): void {
    const position = authorities.length;
    this.#remember(
      pathViolation({ leaf: this.#leaf, caCertificates: authorities }, position, problem, `RFC 5280 ${paragraph}`),
      position,
    );
  }

  #remember(fault: PathViolation, progress: number): void {
    if (this.#fault === undefined || progress > this.#fault.progress) this.#fault = { fault, progress };
  }
}

/** A path that comes back to the same name and key would only go round (RFC 4158 §2.4.2). */
function occursIn(authorities: readonly CaCertificate[], issuer: CaCertificate): boolean {
  return authorities.some(
    ({ subject, publicKeyThumbprint }) =>
      publicKeyThumbprint === issuer.publicKeyThumbprint && sameDistinguishedName(subject, issuer.subject),
  );
}

/** In checks by keys of the usual kinds, of which the slowest, P-384, takes 0.7 ms. */
const BUDGET = 40;
const USUAL_RSA_BITS = 4096;

/** Checks signatures while one leaf's paths are sought: each once, and no more than the budget allows. */
export class SignatureChecks {
  #left = BUDGET;
  /** By the thumbprints of both. */
  readonly #known = new Map<string, boolean>();
  readonly #openssl = new Map<Certificate, X509Certificate>();

  /** Undefined when enough was tried: whoever shows many issuers of one name makes us try many. */
  isSignedBy(child: Certificate, issuer: CaCertificate): boolean | undefined {
    const pair = `${child.thumbprint} ${issuer.thumbprint}`;
    const known = this.#known.get(pair);
    if (known !== undefined) return known;
    const cost = costOf(issuer.publicKey);
    if (cost > this.#left) return undefined;
    this.#left -= cost;
    const openssl = this.#openssl.get(child) ?? new X509Certificate(child.der);
    this.#openssl.set(child, openssl);
    const isSigned = openssl.verify(issuer.publicKey);
    this.#known.set(pair, isSigned);
    return isSigned;
  }
}

/** How many times as long as by P-384 it takes, about. */
function costOf({ asymmetricKeyDetails }: KeyObject): number {
  const { namedCurve, modulusLength = 0 } = asymmetricKeyDetails ?? {};
  if (namedCurve === 'secp521r1') return 3;
  return modulusLength > USUAL_RSA_BITS ? 2 : 1;
}

/** What a client sent beside its certificate: it can help to find a path, and is never trusted. */
export interface ForwardedCas {
  readonly caCertificates: readonly CaCertificate[];
  /** Which of them help no path, and why. */
  readonly ignored: readonly string[];
}

/**
 * Reads those of the certificates that are an authority's, and not configured anyway.
 *
 * @param forwarded DER, without the leaf
 */
export function parseForwardedCas(forwarded: readonly Uint8Array[], trust: TrustStore): ForwardedCas {
  const known = new Set([...trust.anchors, ...trust.intermediates].map(({ thumbprint }) => thumbprint));
  const authorities: CaCertificate[] = [];
  const ignored: string[] = [];
  for (const [index, der] of forwarded.entries()) {
    const authority = readOrExplain(der);
    if (typeof authority === 'string') ignored.push(`forwarded certificate ${index + 1} ${authority}`);
    else if (!known.has(authority.thumbprint)) authorities.push(authority);
    if (typeof authority !== 'string') known.add(authority.thumbprint);
  }
  return { caCertificates: authorities, ignored };
}

function readOrExplain(der: Uint8Array): CaCertificate | string {
  try {
    return parseCaCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}
