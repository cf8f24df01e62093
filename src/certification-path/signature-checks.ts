import { type KeyObject, X509Certificate } from 'node:crypto';
import type { AuthorityCertificate } from '../pki/certificate/ca-certificate.ts';
import type { Certificate } from '../pki/certificate/certificate.ts';

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
  isSignedBy(child: Certificate, issuer: AuthorityCertificate): boolean | undefined {
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
