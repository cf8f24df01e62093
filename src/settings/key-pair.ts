import { type PrivateKeyFile, parsePrivateKeyFile } from '../files/private-key.ts';
import type { CertificateChain, FiledCertificate } from './certificate-file.ts';
import type { Warn } from './setting.ts';

/** A certificate with its chain, and its key, as `node:tls` takes them. PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Whether both are the same certificates and the same key. */
export function isSameKeyPair(one: KeyPair, other: KeyPair): boolean {
  return one.cert === other.cert && one.key === other.key;
}

/**
 * Parses a private key in PEM.
 *
 * @param warn called for each part of the text that is not read
 * @throws {FileContentError} with the cause and the fix
 */
export function parsePrivateKey(text: string, warn: Warn): PrivateKeyFile {
  const file = parsePrivateKeyFile(Buffer.from(text));
  for (const part of file.unread) warn(part);
  return file;
}

/**
 * Pairs a certificate file with its key.
 *
 * @throws {RangeError} a predicate of the key, if it is not that of the first certificate, or if OpenSSL rejects the pair
 */
export function pairWithKey(chain: CertificateChain, { key, pem }: PrivateKeyFile): KeyPair {
  const [own, ...others] = chain;
  if (!own.x509.checkPrivateKey(key)) {
    const isOfAnother = others.some(({ x509 }) => x509.checkPrivateKey(key));
    const fix = isOfAnother
      ? 'its certificate is further down in the file: put it first'
      : 'use the key of that certificate';
    throw new RangeError(`is not the key of ${own.subject}, the first certificate in ${own.file}: ${fix}`);
  }
  const cert = chain.map((certificate) => certificate.pem).join('');
  try {
    // Every command reads settings, few have a key pair, and node:tls takes as long to load as all of this folder.
    process.getBuiltinModule('node:tls').createSecureContext({ cert, key: pem });
  } catch (error) {
    throw new RangeError(`cannot be used with ${own.subject} in ${own.file}: ${explainRejectedPair(error)}`);
  }
  return { cert, key: pem };
}

/** What OpenSSL rejects at its security level, by Node's error code. */
const explanations: Readonly<Record<string, string>> = {
  ERR_SSL_EE_KEY_TOO_SMALL: 'the key of the certificate is too short; use P-256, or RSA with 2048 bits or more',
  ERR_SSL_CA_KEY_TOO_SMALL: 'the key of a CA in its chain is too short; use P-256, or RSA with 2048 bits or more',
  ERR_SSL_CA_MD_TOO_WEAK: 'a certificate is signed with MD5 or SHA-1; use SHA-256',
  ERR_SSL_UNKNOWN_CERTIFICATE_TYPE: 'TLS does not support the type of its key; use P-256, or RSA',
};

function explainRejectedPair(error: unknown): string {
  if (!(error instanceof Error)) return 'OpenSSL rejects it';
  const explanation = 'code' in error && typeof error.code === 'string' ? explanations[error.code] : undefined;
  const reason = 'reason' in error && typeof error.reason === 'string' ? `: "${error.reason}"` : '';
  return explanation ?? `OpenSSL rejects it${reason}`;
}

/** Warns about a certificate outside its validity period. */
export function warnIfNotValid(certificate: FiledCertificate, warn: Warn): void {
  const violation = validityViolation(certificate);
  if (violation !== undefined) warn(violation);
}

/** @throws {RangeError} if a certificate, which is to replace another one, is outside its validity period */
export function requireValid(certificate: FiledCertificate): void {
  const violation = validityViolation(certificate);
  if (violation !== undefined) throw new RangeError(`${certificate.file}: ${violation}`);
}

function validityViolation({ x509, subject }: FiledCertificate): string | undefined {
  const { validFromDate, validToDate } = x509;
  const now = Date.now();
  if (now > validToDate.getTime()) return `the certificate of ${subject} expired on ${validToDate.toISOString()}`;
  if (now >= validFromDate.getTime()) return undefined;
  return `the certificate of ${subject} is not valid before ${validFromDate.toISOString()}`;
}
