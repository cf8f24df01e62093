import { CertificateError } from './certificate-error.ts';
import { parseDer } from './der.ts';
import { type DerElement, Tag } from './der-element.ts';
import { parseBitString, parseBoolean, parseInteger, parseTime } from './der-values.ts';
import { parseObjectIdentifier } from './object-identifier.ts';

/** The fields of a Certificate that are taken from its DER (RFC 5280 §4.1). */
export interface CertificateStructure {
  readonly version: 1 | 2 | 3;
  /** The content bytes of the INTEGER. */
  readonly serialNumber: Uint8Array;
  readonly signatureAlgorithm: DerElement;
  readonly issuer: DerElement;
  readonly validity: Validity;
  readonly subject: DerElement;
  /** The SubjectPublicKeyInfo. */
  readonly publicKey: DerElement;
  /** The whole `Extension` elements, by dotted object identifier. */
  readonly extensions: ReadonlyMap<string, DerElement>;
}

/** Milliseconds since the epoch, both inclusive. */
interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

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
  if (parseBitString(signature).unusedBits > 0) throw new CertificateError('has a signature of incomplete bytes');
  const fields = sequence(tbs, 'TBSCertificate');
  const hasVersion = fields[0]?.tag === VERSION;
  const [serial, algorithm, issuer, validity, subject, publicKey, ...optional] = hasVersion ? fields.slice(1) : fields;
  if (serial?.tag !== Tag.integer || !algorithm || !issuer || !validity || !subject || !publicKey) {
    throw new CertificateError('not a certificate: its TBSCertificate does not match RFC 5280 §4.1');
  }
  requireAlgorithmIdentifier(signatureAlgorithm);
  if (Buffer.compare(algorithm.encoded, signatureAlgorithm.encoded) !== 0) {
    throw new CertificateError(
      'names different signature algorithms inside and outside the signed part (RFC 5280 §4.1.1.2)',
    );
  }
  return {
    version: hasVersion ? parseVersion(fields[0]) : 1,
    serialNumber: parseInteger(serial),
    signatureAlgorithm,
    issuer,
    validity: parseValidity(validity),
    subject,
    publicKey,
    extensions: parseExtensions(optional),
  };
}

/**
 * AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL } (RFC 5280 §4.1.1.2). The
 * parameters of all algorithms are absent, NULL or a SEQUENCE. An OBJECT IDENTIFIER, such as the curve beside ECDSA, has no
 * effect; OpenSSL and Go accept it as well.
 */
function requireAlgorithmIdentifier(algorithm: DerElement): void {
  const [id, parameters, ...more] = sequence(algorithm, 'signatureAlgorithm');
  if (id?.tag !== Tag.objectIdentifier || more.length > 0) {
    throw new CertificateError('not a certificate: its signatureAlgorithm is not an AlgorithmIdentifier');
  }
  if (parameters === undefined || parameters.tag === Tag.sequence) return;
  if (parameters.tag === Tag.null && parameters.content.length === 0) return;
  if (parameters.tag !== Tag.objectIdentifier) {
    throw new CertificateError('has a signatureAlgorithm with malformed parameters, or of an unknown type');
  }
  parseObjectIdentifier(parameters);
}

const VERSION = 0xa0;

/** v1 is the default. DER omits it, but a version that is written out has the same meaning. */
function parseVersion(version: DerElement | undefined): 1 | 2 | 3 {
  const [integer, ...more] = version?.children ?? [];
  if (integer?.tag === Tag.integer && more.length === 0) {
    const [value, ...rest] = parseInteger(integer);
    if (rest.length === 0 && value === 0) return 1;
    if (rest.length === 0 && value === 1) return 2;
    if (rest.length === 0 && value === 2) return 3;
  }
  throw new CertificateError('has an unknown X.509 version');
}

function parseValidity(validity: DerElement): Validity {
  const [notBefore, notAfter, ...more] = sequence(validity, 'validity');
  if (!notBefore || !notAfter || more.length > 0) {
    throw new CertificateError('not a certificate: its validity is not two times (RFC 5280 §4.1.2.5)');
  }
  return { notBefore: parseTime(notBefore), notAfter: parseTime(notAfter) };
}

const ISSUER_UNIQUE_ID = 0x81;
const SUBJECT_UNIQUE_ID = 0x82;
const EXTENSIONS = 0xa3;

/** Of the unique identifiers, only the type is checked: RFC 5280 §4.1.2.8 gives them no meaning for validation. */
function parseExtensions(optional: readonly DerElement[]): Map<string, DerElement> {
  requireOrder(optional);
  for (const element of optional) if (element.tag !== EXTENSIONS) parseBitString(element);
  const extensions = new Map<string, DerElement>();
  const container = optional.find(({ tag }) => tag === EXTENSIONS);
  const [list, ...more] = container?.children ?? [];
  if (container && (!list || more.length > 0)) throw new CertificateError('has malformed extensions');
  for (const extension of list ? sequence(list, 'extensions') : []) {
    const fields = sequence(extension, 'Extension');
    const [id] = fields;
    if (id?.tag !== Tag.objectIdentifier) throw new CertificateError('has an extension without an object identifier');
    const name = parseObjectIdentifier(id);
    if (extensions.has(name)) throw new CertificateError(`has extension ${name} twice (RFC 5280 §4.2)`);
    requireExtensionFields(name, fields);
    extensions.set(name, extension);
  }
  return extensions;
}

/** Each field at most once, in the order of their tags. */
function requireOrder(optional: readonly DerElement[]): void {
  let previous = 0;
  for (const { tag } of optional) {
    const isKnown = tag === ISSUER_UNIQUE_ID || tag === SUBJECT_UNIQUE_ID || tag === EXTENSIONS;
    if (!isKnown || tag <= previous) {
      throw new CertificateError('not a certificate: its TBSCertificate has unknown, repeated or misplaced fields');
    }
    previous = tag;
  }
}

/**
 * Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }. DER omits a `critical` of
 * FALSE, but one that is written out has the same meaning.
 */
function requireExtensionFields(name: string, fields: readonly DerElement[]): void {
  const value = fields.length > 1 ? fields.at(-1) : undefined;
  if (value?.tag !== Tag.octetString) throw new CertificateError(`has extension ${name} without a value`);
  const critical = fields.length > 2 ? fields[1] : undefined;
  if (fields.length > 3 || (critical && critical.tag !== Tag.boolean)) {
    throw new CertificateError(`has extension ${name} with more than a criticality and a value`);
  }
  if (critical) parseBoolean(critical);
}

function sequence(element: DerElement, type: string): readonly DerElement[] {
  if (element.tag !== Tag.sequence) throw new CertificateError(`not a certificate: its ${type} is not a SEQUENCE`);
  return element.children;
}

/** Whether a validator that does not process the extension must reject the certificate (RFC 5280 §4.2). */
export function isCritical({ children: [, critical] }: DerElement): boolean {
  return critical?.tag === Tag.boolean && parseBoolean(critical);
}

/**
 * Parses the DER inside an extension's OCTET STRING (extnValue).
 *
 * @throws {CertificateError} naming the extension
 */
export function parseExtensionValue({ children }: DerElement): DerElement {
  try {
    return parseDer(children.at(-1)?.content ?? new Uint8Array());
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const id = children[0] ? parseObjectIdentifier(children[0]) : 'without an object identifier';
    const verb = /^\d/.test(error.message) ? 'has' : 'is';
    throw new CertificateError(`extension ${id} ${verb} ${error.message}`, { cause: error });
  }
}
