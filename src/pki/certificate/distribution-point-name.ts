import { abbreviate, printable } from '../../text.ts';
import { CertificateError } from './certificate-error.ts';
import { parseDer } from './der.ts';
import { type DerElement, Tag } from './der-element.ts';
import {
  chainingKey,
  decodeDistinguishedName,
  type EncodedName,
  formatDistinguishedName,
} from './names/distinguished-name.ts';
import { DIRECTORY_NAME_TAG } from './subject-alternative-names.ts';

/** A GeneralName in a certificate or a CRL. */
export interface PointName {
  /**
   * Equal if and only if the names match: the same encoding (RFC 5280 §5.2.5 requires it), or for directory names the
   * same name in another encoding (§7.1).
   */
  readonly key: string;
  /** For logs and reports. */
  readonly text: string;
}

const FULL_NAME = 0xa0;
const RELATIVE_NAME = 0xa1;

/**
 * Parses a distributionPoint, [0] EXPLICIT DistributionPointName (RFC 5280 §4.2.1.13, §5.2.5): its full names, or the one
 * name relative to the CRL issuer.
 *
 * @param crlIssuer the Name of the CRL issuer
 * @throws {CertificateError} when it is malformed
 */
export function parsePointNames({ children: [choice, ...more] }: DerElement, crlIssuer: DerElement): PointName[] {
  if (more.length === 0 && choice?.tag === FULL_NAME) return parseGeneralNames(choice);
  if (more.length === 0 && choice?.tag === RELATIVE_NAME) return [directoryName(appended(crlIssuer, choice))];
  throw new CertificateError('has a malformed distribution point name');
}

/** @throws {CertificateError} when there is none, or a directory name is malformed */
export function parseGeneralNames({ children }: DerElement): PointName[] {
  if (children.length === 0) throw new CertificateError('has a distribution point with an empty list of names');
  return children.map(pointName);
}

/** @param name a GeneralName */
function pointName(name: DerElement): PointName {
  const [directory] = name.children;
  if (name.tag === DIRECTORY_NAME_TAG && directory) return directoryName(directory);
  return { key: hex(name.encoded), text: abbreviate(textOf(name)) };
}

/** @param name a Name */
function directoryName(name: DerElement): PointName {
  const decoded = decodeDistinguishedName(name);
  return { key: directoryKey(decoded), text: abbreviate(formatDistinguishedName(decoded)) };
}

/** The key of a directory name. */
export function directoryKey(name: EncodedName): string {
  return `directory ${chainingKey(name)}`;
}

const textTags: ReadonlySet<number> = new Set([0x81, 0x82, 0x86]);

function textOf({ tag, content, encoded }: DerElement): string {
  return textTags.has(tag) ? printable(Buffer.from(content).toString('latin1')) : `#${hex(encoded)}`;
}

/** Appends a RelativeDistinguishedName, [1] IMPLICIT SET, to a Name. */
function appended(name: DerElement, { content }: DerElement): DerElement {
  const rdn = encodeElement(Tag.set, [content]);
  return parseDer(encodeElement(Tag.sequence, [name.content, rdn]));
}

function encodeElement(tag: number, contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  const length = content.length.toString(16);
  const bytes = Buffer.from(length.padStart(length.length + (length.length % 2), '0'), 'hex');
  const header = content.length < 0x80 ? [tag, content.length] : [tag, 0x80 | bytes.length, ...bytes];
  return Buffer.concat([Buffer.from(header), content]);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
