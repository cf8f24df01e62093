import type { X509Certificate } from 'node:crypto';
import { fileErrorReason } from '../errors/file-error.ts';
import { MAX_CERTIFICATE_MEBIBYTES, readBoundedFile } from '../files/bounded-file.ts';
import {
  decodeDistinguishedName,
  formatDistinguishedName,
  nonTextReason,
} from '../pki/certificate/names/distinguished-name.ts';
import { parseWithOpenssl } from '../pki/certificate/openssl-certificate.ts';
import { encodePem, parseCertificateFile } from '../pki/certificate/pem.ts';
import { parseCertificateStructure } from '../pki/certificate/structure.ts';
import type { Warn } from './setting.ts';

/** A certificate from a file of the operator. */
export interface FiledCertificate {
  readonly x509: X509Certificate;
  readonly pem: string;
  /** The subject DN in RFC 4514, for messages. */
  readonly subject: string;
  /** Its file, for messages. */
  readonly file: string;
}

/** The certificates of a file in their order. */
export type CertificateChain = readonly [FiledCertificate, ...FiledCertificate[]];

/**
 * Reads the certificates of a PEM file, or one in DER, in their order; there is at least one.
 *
 * @param warn called for each part of the file that is not read
 * @throws {RangeError} naming the file, what is wrong with it, and how to fix it
 */
export function readCertificateFile(path: string, warn: Warn): CertificateChain {
  const content = attempt(`${path} cannot be read`, () => readBoundedFile(path, MAX_CERTIFICATE_MEBIBYTES));
  const { certificates, unread } = attempt(path, () => parseCertificateFile(content));
  for (const part of unread) warn(`${path}: ${part}`);
  const [first, ...others] = certificates;
  return [parse(first, path, 1), ...others.map((der, index) => parse(der, path, index + 2))];
}

/** Whether both contain the same certificates, in one order. */
export function areSameCertificates(one: readonly FiledCertificate[], other: readonly FiledCertificate[]): boolean {
  return one.length === other.length && one.every(({ pem }, index) => pem === other[index]?.pem);
}

/** Whether it is signed with its own key. */
export function isRoot({ x509 }: FiledCertificate): boolean {
  return x509.checkIssued(x509) && x509.verify(x509.publicKey);
}

function parse(der: Uint8Array, path: string, position: number): FiledCertificate {
  return attempt(`${path}: certificate ${position} is invalid`, () => {
    const subject = decodeDistinguishedName(parseCertificateStructure(der).subject);
    const x509 = parseWithOpenssl(der, () => nonTextReason(subject));
    return { x509, pem: encodePem(der), subject: formatDistinguishedName(subject), file: path };
  });
}

function attempt<Value>(problem: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new RangeError(`${problem}: ${fileErrorReason(error)}`);
  }
}
