import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileErrorReason } from '../file-error.ts';
import { decodeDistinguishedName, formatDistinguishedName } from '../pki/certificate/names/distinguished-name.ts';
import { encodePem, parsePemCertificates } from '../pki/certificate/pem.ts';
import { parseCertificateStructure } from '../pki/certificate/structure.ts';

/** A certificate from a file of the operator. */
export interface FiledCertificate {
  readonly x509: X509Certificate;
  readonly pem: string;
  /** The subject DN in RFC 4514, for messages. */
  readonly subject: string;
}

/**
 * Reads the certificates of a PEM file in their order; there is at least one.
 *
 * @throws {RangeError} naming the file, what is wrong with it, and how to fix it
 */
export function readCertificateFile(path: string): readonly [FiledCertificate, ...FiledCertificate[]] {
  const [first, ...others] = attempt(`${path} cannot be read`, () => parsePemCertificates(readFileSync(path, 'utf8')));
  if (first === undefined) {
    throw new RangeError(`${path} contains no certificate: expected PEM (-----BEGIN CERTIFICATE-----)`);
  }
  return [parse(first, path, 1), ...others.map((der, index) => parse(der, path, index + 2))];
}

function parse(der: Uint8Array, path: string, position: number): FiledCertificate {
  return attempt(`${path}: certificate ${position} is malformed`, () => {
    const subject = formatDistinguishedName(decodeDistinguishedName(parseCertificateStructure(der).subject));
    return { x509: new X509Certificate(der), pem: encodePem(der), subject };
  });
}

function attempt<Value>(problem: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new RangeError(`${problem}: ${fileErrorReason(error)}`);
  }
}
