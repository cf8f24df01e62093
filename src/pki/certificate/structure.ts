import { CertificateError } from './certificate-error.ts';
import { parseDer } from './der.ts';
import { type DerElement, parseObjectIdentifier, Tag } from './der-element.ts';

/** The fields of a Certificate that are taken from its DER (RFC 5280 §4.1). */
export interface CertificateStructure {
  readonly version: 1 | 2 | 3;
  /** The INTEGER. */
  readonly serialNumber: DerElement;
  readonly signatureAlgorithm: DerElement;
  readonly issuer: DerElement;
  readonly subject: DerElement;
  /** The SubjectPublicKeyInfo. */
  readonly publicKey: DerElement;
  /** The whole `Extension` elements, by dotted object identifier. */
  readonly extensions: ReadonlyMap<string, DerElement>;
}

const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/**
 * Parses the outer structure of one DER certificate.
 *
 * @throws {CertificateError} when it is not DER, not a Certificate, or violates a rule about its structure
 */
export function parseCertificateStructure(der: Uint8Array): CertificateStructure {
  const [tbs, signatureAlgorithm, signature, ...more] = sequence(parseDer(der), 'Certificate');
  if (!tbs || !signatureAlgorithm || signature?.tag !== Tag.bitString || more.length > 0) {
    throw new CertificateError('not a certificate: its structure does not match RFC 5280 §4.1');
  }
  const fields = sequence(tbs, 'TBSCertificate');
  const version = parseVersion(fields[0]);
  const [serial, algorithm, issuer, validity, subject, key, ...optional] = version === 1 ? fields : fields.slice(1);
  if (serial?.tag !== Tag.integer || !algorithm || !issuer || !validity || !subject || !key) {
    throw new CertificateError('not a certificate: its TBSCertificate does not match RFC 5280 §4.1');
  }
  if (!Buffer.from(algorithm.encoded).equals(signatureAlgorithm.encoded)) {
    throw new CertificateError(
      'names different signature algorithms inside and outside the signed part (RFC 5280 §4.1.1.2)',
    );
  }
  const extensions = parseExtensions(optional);
  return { version, serialNumber: serial, signatureAlgorithm, issuer, subject, publicKey: key, extensions };
}

function parseVersion(first: DerElement | undefined): 1 | 2 | 3 {
  if (first?.tag !== VERSION) return 1;
  const value = first.children[0]?.content;
  if (value?.length === 1 && value[0] === 1) return 2;
  if (value?.length === 1 && value[0] === 2) return 3;
  throw new CertificateError('has an unknown X.509 version');
}

function parseExtensions(optional: readonly DerElement[]): Map<string, DerElement> {
  const extensions = new Map<string, DerElement>();
  const container = optional.find((element) => element.tag === EXTENSIONS)?.children[0];
  for (const extension of container?.children ?? []) {
    const [id, ...rest] = sequence(extension, 'Extension');
    if (id?.tag !== Tag.objectIdentifier) throw new CertificateError('has an extension without an object identifier');
    const name = parseObjectIdentifier(id.content);
    if (extensions.has(name)) throw new CertificateError(`has extension ${name} twice (RFC 5280 §4.2)`);
    requireExtensionValue(name, rest);
    extensions.set(name, extension);
  }
  return extensions;
}

/** `critical` defaults to FALSE, and DER does not encode default values (X.690 §11.5). */
function requireExtensionValue(name: string, rest: readonly DerElement[]): void {
  const critical = rest.length === 2 ? rest[0] : undefined;
  const isWellFormed =
    rest.at(-1)?.tag === Tag.octetString &&
    (rest.length === 1 || (critical?.tag === Tag.boolean && critical.content[0] === 0xff));
  if (!isWellFormed) throw new CertificateError(`not DER: extension ${name} encodes a default or lacks its value`);
}

function sequence(element: DerElement, type: string): readonly DerElement[] {
  if (element.tag !== Tag.sequence) throw new CertificateError(`not a certificate: its ${type} is not a SEQUENCE`);
  return element.children;
}

/** Whether a validator that does not process the extension must reject the certificate (RFC 5280 §4.2). */
export function isCritical({ children }: DerElement): boolean {
  return children[1]?.tag === Tag.boolean;
}

/** Parses the DER inside an extension's OCTET STRING (extnValue). */
export function parseExtensionValue(extension: DerElement): DerElement {
  const value = extension.children.at(-1);
  return parseDer(value?.content ?? new Uint8Array());
}
