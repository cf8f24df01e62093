import { CertificateError } from './certificate-error.ts';

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/** The textual encoding of RFC 7468 §5: lines of 64 characters, LF, with a final LF. */
export function encodePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
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

/**
 * Parses the certificates of a PEM file from an operator, in order. Text around the blocks (RFC 7468 §2, written by
 * `openssl x509 -text`), other line lengths and other line endings are allowed.
 *
 * @throws {CertificateError} when a block is not base64
 */
export function parsePemCertificates(text: string): Uint8Array[] {
  return parsePemBlocks(text, 'CERTIFICATE');
}

/** Parses the PEM blocks with this label, like {@link parsePemCertificates}. */
export function parsePemBlocks(text: string, label: string): Uint8Array[] {
  const [beginLine, endLine] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const blocks: Uint8Array[] = [];
  for (let at = text.indexOf(beginLine); at !== -1; at = text.indexOf(beginLine, at + 1)) {
    const end = text.indexOf(endLine, at);
    if (end === -1) throw new CertificateError(`a ${beginLine} without its ${endLine}`);
    const base64 = text.slice(at + beginLine.length, end).replace(/\s/g, '');
    const der = Buffer.from(base64, 'base64');
    if (base64 === '' || der.toString('base64') !== base64) {
      throw new CertificateError(`the text after ${beginLine} is not base64`);
    }
    blocks.push(der);
  }
  return blocks;
}

const DER_SEQUENCE = 0x30;

/**
 * Parses the certificates of a file from an operator: its PEM blocks, or the whole file as one DER certificate.
 *
 * @returns an empty list when the file contains neither
 * @throws {CertificateError} when a block is not base64
 */
export function parseCertificateFile(content: Uint8Array): Uint8Array[] {
  const certificates = parsePemCertificates(Buffer.from(content).toString('latin1'));
  return certificates.length === 0 && content[0] === DER_SEQUENCE ? [content] : certificates;
}
