import type { DecodedCertificates } from '../header-format.ts';
import { decodeBase64 } from './base64-der.ts';
import { MAX_CHAIN_CERTIFICATES, requireChain } from './chain.ts';

/**
 * Decodes a leaf and its chain as base64 with single commas between them: no alphabet of base64 has a comma.
 *
 * @throws {CertificateError}
 */
export function decodeBase64List(value: string): DecodedCertificates {
  // The leaf, as many as there may be, and one that is too many.
  const [leaf = '', ...chain] = value.split(',', MAX_CHAIN_CERTIFICATES + 2);
  return { leaf: decodeBase64(leaf), chain: requireChain(chain.map(decodeBase64)) };
}
