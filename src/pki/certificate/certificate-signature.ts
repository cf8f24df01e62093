import { type KeyObject, verify } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { parseDerHeader } from './der.ts';
import { parseWithOpenssl } from './openssl-certificate.ts';

/**
 * Whether this key signed a certificate (RFC 5280 §6.1.3 (a)(1)). False if its signature algorithm is not accepted, or is
 * one of another type of key.
 *
 * OpenSSL verifies the signature over the bytes that were parsed. It does not parse the certificate again: that takes as
 * long as half of a verification, and leaves a hundred small blocks of memory to the garbage collector.
 */
export function isSignedByKey({ der, signatureAlgorithm }: Certificate, key: KeyObject): boolean {
  if (!signatureAlgorithm?.keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
  // Node's `verify` has no parameter for the hash of MGF1, which RSASSA-PSS names.
  if (signatureAlgorithm.saltLength !== undefined) return parseWithOpenssl(der).verify(key);
  const { signed, signature } = signedParts(der);
  return verify(signatureAlgorithm.hash, signed, key, signature);
}

/** The TBSCertificate and the bytes of the BIT STRING of a certificate that was parsed before. */
function signedParts(der: Uint8Array): { signed: Uint8Array; signature: Uint8Array } {
  const certificate = parseDerHeader(der, 0, der.length);
  const tbs = parseDerHeader(der, certificate.start, certificate.end);
  const algorithm = parseDerHeader(der, tbs.end, certificate.end);
  const signature = parseDerHeader(der, algorithm.end, certificate.end);
  // The first byte counts the bits that are not used: there are none.
  return {
    signed: der.subarray(certificate.start, tbs.end),
    signature: der.subarray(signature.start + 1, signature.end),
  };
}
