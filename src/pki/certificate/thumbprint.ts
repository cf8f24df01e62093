import { createHash } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';

/** A thumbprint as an operator registered it. SHA-1 is there for those who move in from .NET, where it is the default. */
export type RegisteredThumbprint =
  | { readonly algorithm: 'sha256'; readonly value: string }
  | { readonly algorithm: 'sha1'; readonly value: string };

/** `x5t#S256`: base64url of the SHA-256 of the DER, without padding (RFC 8705 §3.1). */
export function sha256Thumbprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64url');
}

/** `x5t`: base64url of the SHA-1 of the DER (RFC 7515 §4.1.7). Only ever compared with what an operator registered. */
export function sha1Thumbprint(der: Uint8Array): string {
  return createHash('sha1').update(der).digest('base64url');
}

/**
 * Reads the thumbprint of a public key, or of a certificate where SHA-1 has no place.
 *
 * @param mend what prints the right one, for the message
 * @returns base64url
 * @throws {CertificateError}
 */
export function parseSha256Thumbprint(text: string, mend: string): string {
  const { algorithm, value } = parseThumbprint(text);
  if (algorithm === 'sha256') return value;
  throw new CertificateError(`a SHA-1 thumbprint; write what ${mend} prints`);
}

const SHA256_OCTETS = 32;
const SHA1_OCTETS = 20;

/**
 * Reads a thumbprint in any usual spelling: base64url (43 characters, or 44 with its padding; also plain base64),
 * or hex in either case, bare or with colons, spaces or hyphens between the octets, with or without the
 * `SHA256 Fingerprint=` that openssl prints before it.
 *
 * @throws {CertificateError} when it is neither a SHA-256 nor a SHA-1 thumbprint
 */
export function parseThumbprint(text: string): RegisteredThumbprint {
  const digest = readDigest(text.trim().replace(/^sha-?(1|256)\s+fingerprint\s*=\s*/i, ''));
  if (digest?.length === SHA256_OCTETS) return { algorithm: 'sha256', value: digest.toString('base64url') };
  if (digest?.length === SHA1_OCTETS) return { algorithm: 'sha1', value: digest.toString('base64url') };
  throw new CertificateError(
    'not a thumbprint: expected the SHA-256 of the DER in base64url (43 characters) or in hex (64 digits)',
  );
}

function readDigest(text: string): Buffer | undefined {
  // Windows' certificate dialogue puts an invisible U+200E before what it lets people copy.
  const visible = text.replace(/[\u200e\u200f]/g, '');
  if (/^[0-9a-f]{2}(?:[: -]?[0-9a-f]{2})+$/i.test(visible)) {
    const hex = visible.replace(/[: -]/g, '');
    if (hex.length === 2 * SHA256_OCTETS || hex.length === 2 * SHA1_OCTETS) return Buffer.from(hex, 'hex');
  }
  if (/^[A-Za-z0-9_+/-]{43}=?$/.test(visible)) return canonicalBase64(visible);
  return undefined;
}

/** Two base64 texts that differ in the unused bits decode alike: only the one that an encoder writes is read. */
function canonicalBase64(text: string): Buffer | undefined {
  const base64url = text.replace(/=$/, '').replaceAll('+', '-').replaceAll('/', '_');
  const bytes = Buffer.from(base64url, 'base64url');
  return bytes.toString('base64url') === base64url ? bytes : undefined;
}
