import type { CaCertificate } from '../certificate/ca-certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { formatDistinguishedName } from '../certificate/names/distinguished-name.ts';
import { verifySignature } from '../certificate/signature-algorithms.ts';
import type { TrustStore } from '../path/trust-store.ts';
import { type Crl, parseCrl, type SignedCrl } from './crl.ts';

/** A CRL that was signed by a configured CA. */
export interface StoredCrl {
  readonly crl: Crl;
  /** The subject of the CA. */
  readonly ca: string;
  /** The public key of the CA (SHA-256, base64url). */
  readonly publicKeyThumbprint: string;
}

/** The newest CRL of each CA. */
export class CrlStore {
  readonly #currentTrust: () => TrustStore;
  readonly #crls = new Map<string, StoredCrl>();

  constructor(currentTrust: () => TrustStore) {
    this.#currentTrust = currentTrust;
  }

  /** By the public key of the CA that signed them. */
  get current(): ReadonlyMap<string, StoredCrl> {
    return this.#crls;
  }

  /**
   * Adds a CRL if a configured CA signed it and it is newer than the stored one.
   *
   * @param der the DER of a CRL
   * @returns undefined if it is not newer
   * @throws {CertificateError} when it is not a full CRL, or no configured CA with its issuer's name signed it
   */
  async add(der: Uint8Array): Promise<StoredCrl | undefined> {
    const signed = await parseCrl(der);
    const { subjectText: ca, publicKeyThumbprint } = await this.#signerOf(signed);
    const known = this.#crls.get(publicKeyThumbprint)?.crl;
    if (known && !isNewer(signed, known)) return undefined;
    const { thisUpdate, nextUpdate, revoked } = signed;
    // Without the signed bytes, which would keep the whole DER in memory.
    const stored = { crl: { thisUpdate, nextUpdate, revoked }, ca, publicKeyThumbprint };
    this.#crls.set(publicKeyThumbprint, stored);
    return stored;
  }

  /** RFC 5280 §6.3.3 (f) and (g): the key of the CA's certificate signs its CRLs, and must be allowed to. */
  async #signerOf({ issuer, algorithm, signed }: SignedCrl): Promise<CaCertificate> {
    const candidates = this.#currentTrust()
      .findBySubject(issuer)
      .filter(({ keyUsage }) => !keyUsage || keyUsage.has('cRLSign'));
    for (const ca of candidates) if (await verifySignature(algorithm, signed, ca.publicKey)) return ca;
    const name = formatDistinguishedName(issuer);
    throw new CertificateError(
      candidates.length === 0
        ? `has issuer "${name}", which is not a CA of COUNTERSIGN_CLIENT_CA_FILE that may sign CRLs`
        : `is not signed by the key of CA "${name}"`,
    );
  }
}

/** If a CA issues two CRLs in one second, the one that revokes more wins, whatever order they arrive in. */
function isNewer(candidate: Crl, known: Crl): boolean {
  if (candidate.thisUpdate !== known.thisUpdate) return candidate.thisUpdate > known.thisUpdate;
  return candidate.revoked.size > known.revoked.size;
}
