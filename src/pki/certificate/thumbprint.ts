import { hash } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import type { DerElement } from './der-element.ts';

/** A thumbprint from a client record. SHA-1 eases migration from .NET, where it is the default. */
export type RegisteredThumbprint =
  | { readonly algorithm: 'sha256'; readonly value: string }
  | { readonly algorithm: 'sha1'; readonly value: string };

/** `x5t#S256`: base64url of the SHA-256 of the DER, without padding (RFC 8705 §3.1). */
export function sha256Thumbprint(der: Uint8Array): string {
  return hash('sha256', der, 'base64url');
}

/** `x5t`: base64url of the SHA-1 of the DER (RFC 7515 §4.1.7). Compared only with registered thumbprints. */
export function sha1Thumbprint(der: Uint8Array): string {
  return hash('sha1', der, 'base64url');
}

/** Thumbprints by which few clients are registered. Each is computed when it is first read. */
export class OtherThumbprints {
  readonly #der: Uint8Array;
  /** Where the SubjectPublicKeyInfo is. */
  readonly #keyStart: number;
  readonly #keyEnd: number;
  #sha1: string | undefined;
  #publicKey: string | undefined;

  /**
   * @param der the certificate
   * @param publicKey its SubjectPublicKeyInfo, parsed from `der`
   */
  constructor(der: Uint8Array, { offset, end }: DerElement) {
    this.#der = der;
    this.#keyStart = offset;
    this.#keyEnd = end;
  }

  get sha1(): string {
    this.#sha1 ??= sha1Thumbprint(this.#der);
    return this.#sha1;
  }

  /** Base64url SHA-256 of the SubjectPublicKeyInfo: the same for all certificates with this key. */
  get publicKey(): string {
    this.#publicKey ??= sha256Thumbprint(this.#der.subarray(this.#keyStart, this.#keyEnd));
    return this.#publicKey;
  }
}

/**
 * Parses a thumbprint that must be SHA-256: that of a public key or of a proxy certificate.
 *
 * @param command the command that prints the right thumbprint, for the message
 * @returns base64url
 * @throws {CertificateError}
 */
export function parseSha256Thumbprint(text: string, command: string): string {
  const { algorithm, value } = parseThumbprint(text);
  if (algorithm === 'sha256') return value;
  throw new CertificateError(`a SHA-1 thumbprint; use the one that ${command} prints`);
}

const SHA256_BYTES = 32;
const SHA1_BYTES = 20;

/**
 * Parses a thumbprint in any common notation: base64url (43 characters, or 44 with padding; also plain base64), or hex
 * in either case, bare or with colons, spaces or hyphens between the bytes, with or without the `SHA256 Fingerprint=`
 * that openssl prints before it.
 *
 * @throws {CertificateError} when it is neither a SHA-256 nor a SHA-1 thumbprint
 */
export function parseThumbprint(text: string): RegisteredThumbprint {
  const digest = parseDigest(text.trim().replace(/^sha-?(1|256)\s+fingerprint\s*=\s*/i, ''));
  if (digest?.length === SHA256_BYTES) return { algorithm: 'sha256', value: digest.toString('base64url') };
  if (digest?.length === SHA1_BYTES) return { algorithm: 'sha1', value: digest.toString('base64url') };
  throw new CertificateError(
    'not a thumbprint: expected the SHA-256 of the DER in base64url (43 characters) or in hex (64 digits)',
  );
}

function parseDigest(text: string): Buffer | undefined {
  // The certificate dialog of Windows puts an invisible U+200E before the text that it copies.
  const visible = text.replace(/[\u200e\u200f]/g, '');
  if (/^[0-9a-f]{2}(?:[: -]?[0-9a-f]{2})+$/i.test(visible)) {
    const hex = visible.replace(/[: -]/g, '');
    if (hex.length === 2 * SHA256_BYTES || hex.length === 2 * SHA1_BYTES) return Buffer.from(hex, 'hex');
  }
  if (/^[A-Za-z0-9_+/-]{43}=?$/.test(visible)) return decodeCanonicalBase64(visible);
  return undefined;
}

/** Base64 texts that differ only in unused bits decode to the same bytes: only the canonical one is accepted. */
function decodeCanonicalBase64(text: string): Buffer | undefined {
  const base64url = text.replace(/=$/, '').replaceAll('+', '-').replaceAll('/', '_');
  const bytes = Buffer.from(base64url, 'base64url');
  return bytes.toString('base64url') === base64url ? bytes : undefined;
}
