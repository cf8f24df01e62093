import type { CaCertificate } from '../certificate/ca-certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { formatDistinguishedName } from '../certificate/names/distinguished-name.ts';
import { verifySignature } from '../certificate/signature-algorithms.ts';
import type { TrustStore } from '../path/trust-store.ts';
import { type Crl, parseCrl, type SignedCrl } from './crl.ts';

/** A CRL that a configured CA signed. */
export interface StoredCrl {
  readonly crl: Crl;
  /** The CA's subject, and its public key (SHA-256, base64url). */
  readonly ca: string;
  readonly publicKeyThumbprint: string;
}

/** The CRLs of this moment: for each CA the newest. */
export class CrlStore {
  readonly #trust: () => TrustStore;
  readonly #lists = new Map<string, StoredCrl>();

  constructor(currentTrust: () => TrustStore) {
    this.#trust = currentTrust;
  }

  /** By the public key of the CA that signed it. */
  get current(): ReadonlyMap<string, StoredCrl> {
    return this.#lists;
  }

  /**
   * Takes a CRL, if a configured CA signed it; an older one than is there changes nothing.
   *
   * @param der the DER of a CRL
   * @returns undefined where it is not newer
   * @throws {CertificateError} when it is no full CRL, or no configured CA of its issuer's name signed it
   */
  async add(der: Uint8Array): Promise<StoredCrl | undefined> {
    const signed = await parseCrl(der);
    const { subjectText: ca, publicKeyThumbprint } = await this.#signerOf(signed);
    const known = this.#lists.get(publicKeyThumbprint)?.crl;
    if (known && !isNewer(signed, known)) return undefined;
    const { thisUpdate, nextUpdate, revoked } = signed;
    // Without what was signed, which would keep the whole DER in memory.
    const accepted = { crl: { thisUpdate, nextUpdate, revoked }, ca, publicKeyThumbprint };
    this.#lists.set(publicKeyThumbprint, accepted);
    return accepted;
  }

  /** RFC 5280 §6.3.3 (f) and (g): a CA's CRL is signed by the key of its certificate, which may sign CRLs. */
  async #signerOf(list: SignedCrl): Promise<CaCertificate> {
    const { issuer, algorithm, signed } = list;
    const candidates = this.#trust()
      .findBySubject(issuer)
      .filter(({ keyUsage }) => !keyUsage || keyUsage.has('cRLSign'));
    for (const ca of candidates) if (await verifySignature(algorithm, signed, ca.publicKey)) return ca;
    const name = formatDistinguishedName(issuer);
    throw new CertificateError(
      candidates.length === 0
        ? `is by "${name}", which is no CA of COUNTERSIGN_CLIENT_CA_FILE that may sign CRLs`
        : `is not signed by the key of CA "${name}"`,
    );
  }
}

/** A CA may write two in one second: of those the one that revokes more counts, in whichever order they come. */
function isNewer(offered: Crl, known: Crl): boolean {
  if (offered.thisUpdate !== known.thisUpdate) return offered.thisUpdate > known.thisUpdate;
  return offered.revoked.size > known.revoked.size;
}
