import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { kinds } from '../../files/content-kind.ts';
import { derKind } from '../../files/der-kind.ts';
import { FileContentError } from '../../files/file-content-error.ts';
import { decodePemBlock, parsePemFile } from '../../files/pem-file.ts';
import { kindOfLabel } from '../../files/pem-kind.ts';
import { parsePkcs7 } from '../../files/pkcs7.ts';
import { parsePkcs12 } from '../../files/pkcs12/pkcs12.ts';
import { type CertificateFile, parseCertificateFile } from './pem.ts';

/** The contents of a file with a client certificate. */
export interface CertificateContainer extends CertificateFile {
  /** Those of PKCS #12. Private keys of PEM files are read by `parsePrivateKeyFile`. */
  readonly privateKeys: readonly KeyObject[];
}

/**
 * Parses a file with a client certificate and its intermediates: PEM, DER, PKCS #7 or PKCS #12. The client certificate is
 * the first of PEM; of PKCS #12, the one with a private key; of PKCS #7, the one that issued no other.
 *
 * @param password of PKCS #12; empty for none
 * @throws {CertificateError | FileContentError} if it contains no certificate, with what it contains instead, or the password is another one
 */
export function parseCertificateContainer(content: Uint8Array, password: string): CertificateContainer {
  const kind = derKind(content);
  if (kind === kinds.pkcs12) return fromPkcs12(content, password);
  const messages = kind === kinds.pkcs7Der ? [content] : pkcs7Blocks(content);
  return messages.length > 0 ? fromPkcs7(messages) : { ...parseCertificateFile(content), privateKeys: [] };
}

function fromPkcs12(content: Uint8Array, password: string): CertificateContainer {
  const { certificates, privateKeys, unread } = parsePkcs12(content, password);
  const keys = privateKeys.map((der) => createKey(der));
  const hasKey = (certificate: X509Certificate) => keys.some((key) => certificate.checkPrivateKey(key));
  const [first, ...others] = moveToStart(certificates, hasKey);
  if (!first) throw new FileContentError('is a PKCS #12 file without certificates');
  return { certificates: [first, ...others], privateKeys: keys, unread };
}

function createKey(der: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch {
    // The message of Node may quote the key.
    throw new FileContentError('is a PKCS #12 file with a private key that OpenSSL cannot parse');
  }
}

/** Without certificates of its own, PEM may contain PKCS #7. */
function pkcs7Blocks(content: Uint8Array): Uint8Array[] {
  if (!content.includes(DASH) || content[0] === DER_SEQUENCE) return [];
  const { blocks } = parsePemFile(content);
  if (blocks.some(({ label }) => label === 'CERTIFICATE')) return [];
  return blocks.filter(({ label }) => kindOfLabel(label) === kinds.pkcs7).map(decodePemBlock);
}

const DASH = 0x2d;
const DER_SEQUENCE = 0x30;

function fromPkcs7(messages: readonly Uint8Array[]): CertificateContainer {
  const parsed = messages.map(parsePkcs7);
  const all = parsed.flatMap(({ certificates }) => certificates);
  const x509 = all.flatMap(parseIfPossible);
  const issuedNone = (certificate: X509Certificate) =>
    !x509.some((other) => other.fingerprint256 !== certificate.fingerprint256 && other.checkIssued(certificate));
  const [first, ...others] = moveToStart(all, issuedNone);
  if (!first) throw new FileContentError('is a PKCS #7 message without certificates');
  return { certificates: [first, ...others], privateKeys: [], unread: parsed.flatMap(({ unread }) => unread) };
}

/** Moves the first certificate that satisfies the predicate to the start. */
function moveToStart(
  certificates: readonly Uint8Array[],
  predicate: (certificate: X509Certificate) => boolean,
): readonly Uint8Array[] {
  const found = certificates.find((der) => parseIfPossible(der).some(predicate));
  return found ? [found, ...certificates.filter((der) => der !== found)] : certificates;
}

/** A certificate that OpenSSL cannot parse is reported when it is used. */
function parseIfPossible(der: Uint8Array): X509Certificate[] {
  try {
    return [new X509Certificate(der)];
  } catch {
    return [];
  }
}
