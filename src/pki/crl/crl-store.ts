import { abbreviate } from '../../text.ts';
import type { CaCertificate } from '../certificate/ca-certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { chainingKey, type EncodedName, formatDistinguishedName } from '../certificate/names/distinguished-name.ts';
import { verifySignature } from '../certificate/signature-algorithms.ts';
import type { TrustStore } from '../path/trust-store.ts';
import { type Crl, parseCrl, parseSignedCrl, type SignedCrl } from './crl.ts';
import { scopeKey } from './crl-scope.ts';

/** A CRL that was signed by a configured CA. */
export interface StoredCrl {
  readonly crl: Crl;
  readonly issuer: EncodedName;
  /** The subject of the CA. */
  readonly ca: string;
  /** The public key of the CA (SHA-256, base64url). */
  readonly publicKeyThumbprint: string;
  /**
   * Whether a source still has a CRL of this scope. Otherwise the CA has replaced it by CRLs of other scopes: it applies
   * until it expires, but does not indicate how the CA divides its CRLs today.
   */
  readonly isPublished: boolean;
}

/** The CRLs in use. */
export interface CrlCollection {
  /** By the public key of the CA that signed them. */
  readonly byCa: ReadonlyMap<string, readonly StoredCrl[]>;
  /** Sources that were never loaded: they may have further CRLs of any CA. */
  readonly missingSources: readonly string[];
}

export interface CrlStoreOptions {
  readonly currentTrust: () => TrustStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Sources of which it is known that they will be loaded. */
  readonly sources?: readonly string[];
}

/** The newest CRL of each CA and scope, and those that are not valid yet. */
export class CrlStore {
  readonly #currentTrust: () => TrustStore;
  readonly #now: () => number;
  readonly #crls = new Map<string, readonly StoredCrl[]>();
  /** The keys of the CRLs that each source had when it was last loaded; undefined if it was never. */
  readonly #sources: Map<string, ReadonlySet<string> | undefined>;
  #collection: CrlCollection;

  constructor({ currentTrust, now, sources = [] }: CrlStoreOptions) {
    this.#currentTrust = currentTrust;
    this.#now = now;
    this.#sources = new Map(sources.map((source) => [source, undefined]));
    this.#collection = { byCa: new Map(), missingSources: sources };
  }

  get current(): CrlCollection {
    return this.#collection;
  }

  /**
   * Loads the CRLs of a source. Each is added if a configured CA signed it and it is newer than the stored one.
   *
   * @param source a file or a URL
   * @param crls DER
   * @returns those that were added
   * @throws {CertificateError} stating why some cannot be used; the others are added nevertheless
   */
  async load(source: string, crls: readonly Uint8Array[]): Promise<readonly StoredCrl[]> {
    const added: StoredCrl[] = [];
    const keys = new Set<string>();
    const problems: string[] = [];
    for (const [index, der] of crls.entries()) {
      try {
        const [key, stored] = await this.#verify(der);
        keys.add(key);
        if (this.#add(key, stored)) added.push(stored);
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
        problems.push(crls.length === 1 ? error.message : `CRL ${index + 1} of ${crls.length} ${error.message}`);
      }
    }
    const previous = this.#sources.get(source);
    if (problems.length === 0) this.#sources.set(source, keys);
    else if (previous) this.#sources.set(source, new Set([...previous, ...keys]));
    this.update();
    if (problems.length > 0) throw new CertificateError(problems.join('; '));
    return added;
  }

  /** Forgets all other sources. Their CRLs stay in use until they expire. */
  retainSources(sources: readonly string[]): void {
    for (const source of this.#sources.keys()) if (!sources.includes(source)) this.#sources.delete(source);
    this.update();
  }

  /** Removes the CRLs of CAs that are not configured any more, and those that the CA has replaced and that have expired. */
  update(): void {
    const published = new Set([...this.#sources.values()].flatMap((keys) => [...(keys ?? [])]));
    for (const [key, crls] of this.#crls) {
      const current = crls.map((stored) => ({ ...stored, isPublished: published.has(key) }));
      const kept = current.filter((stored) => this.#isTrusted(stored) && !this.#isObsolete(stored));
      if (kept.length > 0) this.#crls.set(key, inUse(kept, this.#now()));
      else this.#crls.delete(key);
    }
    const missingSources = [...this.#sources].filter(([, keys]) => keys === undefined).map(([source]) => source);
    const byCa = Map.groupBy([...this.#crls.values()].flat(), ({ publicKeyThumbprint }) => publicKeyThumbprint);
    this.#collection = { byCa, missingSources };
  }

  async #verify(der: Uint8Array): Promise<[key: string, stored: StoredCrl]> {
    const signed = parseSignedCrl(der);
    const { subject: issuer, subjectText: ca, publicKeyThumbprint } = await this.#signerOf(signed);
    const crl = await parseCrl(signed);
    // The issuer of the CA's certificate, not that of the CRL, which would keep the whole DER in memory.
    const stored = { crl, issuer, ca, publicKeyThumbprint, isPublished: true };
    return [[publicKeyThumbprint, chainingKey(issuer), scopeKey(crl.scope)].join(' '), stored];
  }

  #add(key: string, stored: StoredCrl): boolean {
    const known = this.#crls.get(key) ?? [];
    if (known.some(({ crl }) => !isNewer(stored.crl, crl) && !isNewer(crl, stored.crl))) return false;
    const crls = inUse([...known, stored], this.#now());
    this.#crls.set(key, crls);
    return crls.includes(stored);
  }

  /** RFC 5280 §6.3.3 (f) and (g): the key of the CA's certificate signs its CRLs, and must be allowed to. */
  async #signerOf({ issuer, algorithm, signed }: SignedCrl): Promise<CaCertificate> {
    const candidates = this.#currentTrust().findBySubject(issuer);
    const signers: CaCertificate[] = [];
    for (const ca of candidates) if (await verifySignature(algorithm, signed, ca.publicKey)) signers.push(ca);
    const signer = signers.find(({ keyUsage }) => !keyUsage || keyUsage.has('cRLSign'));
    if (signer) return signer;
    const name = abbreviate(formatDistinguishedName(issuer));
    if (candidates.length === 0) {
      throw new CertificateError(`has issuer "${name}", which is not a CA of COUNTERSIGN_CLIENT_CA_FILE`);
    }
    if (signers.length === 0) throw new CertificateError(`is not signed by the key of CA "${name}"`);
    throw new CertificateError(
      `is signed by CA "${name}", which may not sign CRLs: its key usage lacks cRLSign (RFC 5280 §6.3.3 (f))`,
    );
  }

  #isTrusted({ issuer, publicKeyThumbprint }: StoredCrl): boolean {
    const cas = this.#currentTrust().findBySubject(issuer);
    return cas.some((ca) => ca.publicKeyThumbprint === publicKeyThumbprint);
  }

  /** Whether the CA has issued a CRL after this one expired that no source has any more. */
  #isObsolete({ crl, publicKeyThumbprint, isPublished }: StoredCrl): boolean {
    if (isPublished) return false;
    return [...this.#crls.values()]
      .flat()
      .some((other) => other.publicKeyThumbprint === publicKeyThumbprint && other.crl.thisUpdate > crl.nextUpdate);
  }
}

/**
 * Of the CRLs of one scope, the newest that is valid, and those that are not valid yet: the CA's clock can be ahead, or it
 * publishes them in advance.
 */
function inUse(crls: readonly StoredCrl[], now: number): readonly StoredCrl[] {
  const newestFirst = crls.toSorted((a, b) => (isNewer(a.crl, b.crl) ? -1 : 1));
  const isUpcoming = ({ crl }: StoredCrl) => crl.thisUpdate > now;
  const valid = newestFirst.find((stored) => !isUpcoming(stored));
  return newestFirst.filter((stored) => stored === valid || isUpcoming(stored));
}

/**
 * Of two CRLs of one second the one with the higher number is newer (RFC 5280 §5.2.3). Without numbers, it is the one that
 * revokes more, whatever order they arrive in.
 */
function isNewer(candidate: Crl, known: Crl): boolean {
  if (candidate.thisUpdate !== known.thisUpdate) return candidate.thisUpdate > known.thisUpdate;
  const [number, knownNumber] = [candidate.number, known.number];
  if (number !== undefined && knownNumber !== undefined && number !== knownNumber) return number > knownNumber;
  return candidate.revoked.size > known.revoked.size;
}
