import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import type { DecodedCertificates } from '../format.ts';
import { MAX_CHAIN_CERTIFICATES, requireChain } from './der.ts';

/**
 * Decodes standard, padded base64 (RFC 4648 §4) on one line.
 *
 * @throws {CertificateError} for anything but the exact encoding of the decoded bytes
 */
export function decodeBase64(value: string): Uint8Array {
  const der = Buffer.from(value, 'base64');
  // Node's decoder skips invalid characters. Encoding again reveals whether it did.
  if (der.length === 0 || der.toString('base64') !== value) throw new CertificateError('not canonical base64');
  return der;
}

/** Encodes bytes as standard, padded base64 (RFC 4648 §4) on one line. */
export function encodeBase64(der: Uint8Array): string {
  return Buffer.from(der).toString('base64');
}

/**
 * Decodes a leaf and its chain as base64, separated by single commas (which are not in the base64 alphabet).
 *
 * @throws {CertificateError}
 */
export function decodeBase64List(value: string): DecodedCertificates {
  // The leaf, the longest chain that is accepted, and one certificate more, so that a longer chain is rejected.
  const [leaf = '', ...chain] = value.split(',', MAX_CHAIN_CERTIFICATES + 2);
  return { leaf: decodeBase64(leaf), chain: requireChain(chain.map(decodeBase64)) };
}
