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
 * Decodes a PEM that a program forwarded. It must be, to the character, what an encoder writes for these bytes
 * (the final LF may be missing): nothing before or after, one block, one label, no other base64.
 *
 * @throws {CertificateError}
 */
export function decodeForwardedPem(pem: string): Uint8Array {
  if (!pem.startsWith(BEGIN)) throw new CertificateError('not a PEM: does not start with its first line');
  if (pem.indexOf(BEGIN, BEGIN.length) !== -1) throw new CertificateError('more than one PEM block');
  const end = pem.indexOf(END);
  if (end === -1) throw new CertificateError('not a PEM: its last line is missing');
  const der = Buffer.from(pem.slice(BEGIN.length, end), 'base64');
  const canonical = encodePem(der);
  if (pem !== canonical && `${pem}\n` !== canonical) {
    throw new CertificateError('not exactly one PEM block: characters before, within or after it that do not belong');
  }
  return der;
}

/**
 * Reads the certificates of a PEM file that a person keeps, in their order. Text around the blocks is allowed
 * (RFC 7468 §2, and what `openssl x509 -text` writes), and so are other line lengths and line ends.
 *
 * @throws {CertificateError} when a block is not base64
 */
export function parsePemCertificates(text: string): Uint8Array[] {
  return parsePemBlocks(text, 'CERTIFICATE');
}

/** The same for blocks of another label. */
export function parsePemBlocks(text: string, label: string): Uint8Array[] {
  const [begin, finish] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const blocks: Uint8Array[] = [];
  for (let at = text.indexOf(begin); at !== -1; at = text.indexOf(begin, at + 1)) {
    const end = text.indexOf(finish, at);
    if (end === -1) throw new CertificateError(`a ${begin} without its ${finish}`);
    const base64 = text.slice(at + begin.length, end).replace(/\s/g, '');
    const der = Buffer.from(base64, 'base64');
    if (base64 === '' || der.toString('base64') !== base64) {
      throw new CertificateError(`what stands after ${begin} is not base64`);
    }
    blocks.push(der);
  }
  return blocks;
}

const DER_SEQUENCE = 0x30;

/**
 * Reads the certificates of a file that a person keeps: those of its PEM blocks, or the whole file as one in DER.
 *
 * @returns none where the file holds neither
 * @throws {CertificateError} when a block is not base64
 */
export function parseCertificateFile(content: Uint8Array): Uint8Array[] {
  const certificates = parsePemCertificates(Buffer.from(content).toString('latin1'));
  return certificates.length === 0 && content[0] === DER_SEQUENCE ? [content] : certificates;
}
