import { kinds } from '../../files/content-kind.ts';
import { derKind, isDerCutOff } from '../../files/der-kind.ts';
import { describeContent } from '../../files/describe-content.ts';
import { FileContentError } from '../../files/file-content-error.ts';
import { decodePemBlock, describeUnreadBlock, parsePemFile } from '../../files/pem-file.ts';
import { CertificateError } from './certificate-error.ts';

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/** The textual encoding of RFC 7468 §5: lines of 64 characters, LF, with a final LF. */
export function encodePem(der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64');
  let pem = `${BEGIN}\n`;
  for (let at = 0; at < base64.length; at += 64) pem += `${base64.slice(at, at + 64)}\n`;
  return `${pem}${END}\n`;
}

/**
 * Decodes a PEM that a proxy forwarded. It must be identical to what an encoder writes for these bytes, except for the
 * final LF, which may be missing: one block, nothing before or after it, canonical base64.
 *
 * @throws {CertificateError}
 */
export function decodeForwardedPem(pem: string): Uint8Array {
  if (!pem.startsWith(BEGIN)) throw new CertificateError('not a PEM: does not start with the header of a certificate');
  if (pem.indexOf(BEGIN, BEGIN.length) !== -1) throw new CertificateError('more than one PEM block');
  const end = pem.indexOf(END);
  if (end === -1) throw new CertificateError('not a PEM: the END line is missing');
  const der = Buffer.from(pem.slice(BEGIN.length, end), 'base64');
  const canonical = encodePem(der);
  if (pem !== canonical && `${pem}\n` !== canonical) {
    throw new CertificateError('not exactly one canonical PEM block: unexpected characters before, within or after it');
  }
  return der;
}

/** The certificates of a file of the operator, and what else it contains. */
export interface CertificateFile {
  /** DER, in order. */
  readonly certificates: readonly [Uint8Array, ...Uint8Array[]];
  /** Parts of the file that are not read, for warnings: `line 7: contains a private key, which …`. */
  readonly unread: readonly string[];
}

const DER_SEQUENCE = 0x30;

/**
 * Parses the certificates of a file from an operator: its PEM blocks, or the whole file as one DER certificate. Text
 * around the blocks (RFC 7468 §2, written by `openssl x509 -text`), other line lengths and other line endings are
 * allowed.
 *
 * @throws {CertificateError} when it contains no certificate, with what it contains instead, or its PEM is damaged
 */
export function parseCertificateFile(content: Uint8Array): CertificateFile {
  const { blocks, unread } = parsePemBlocks(content, 'CERTIFICATE');
  const [first, ...others] = blocks;
  if (first) return { certificates: [first, ...others], unread };
  if (mayBeDerCertificate(content)) return { certificates: [content], unread };
  const instead = describeContent(content);
  const found = instead === undefined ? unread : [`it ${instead}`];
  throw new CertificateError(['contains no certificate, neither PEM nor DER', ...found].join('; '));
}

/** Whether it is a SEQUENCE of more than 127 bytes that is neither cut off nor anything else that is known. */
function mayBeDerCertificate(content: Uint8Array): boolean {
  const [tag, length = 0] = content;
  if (tag !== DER_SEQUENCE || length < 0x80 || isDerCutOff(content)) return false;
  const kind = derKind(content);
  return kind === undefined || kind === kinds.certificate;
}

/**
 * Parses the PEM blocks with this label.
 *
 * @returns DER, in order, and a description of each other part, which is not read
 * @throws {CertificateError} when the file is UTF-16 or UTF-32, or its PEM is damaged
 */
export function parsePemBlocks(content: Uint8Array, label: string): { blocks: Uint8Array[]; unread: string[] } {
  try {
    const file = parsePemFile(content);
    const read = file.blocks.filter((block) => block.label === label);
    const others = file.blocks.filter((block) => block.label !== label);
    return { blocks: read.map(decodePemBlock), unread: [...others.map(describeUnreadBlock), ...file.unread] };
  } catch (error) {
    if (error instanceof FileContentError) throw new CertificateError(error.message);
    throw error;
  }
}
