import { CertificateError } from './certificate-error.ts';
import { type DerElement, Tag } from './der-element.ts';
import { parseInteger } from './der-values.ts';
import type { EncodedName } from './names/distinguished-name.ts';
import { parseExtensionValue } from './structure.ts';
import {
  type AlternativeNameKind,
  alternativeNameProblem,
  DIRECTORY_NAME_TAG,
  decodeDirectoryName,
  kindByTag,
  type NameForm,
  nameForm,
} from './subject-alternative-names.ts';

/** The base of a GeneralSubtree: a part of the name space of one name form (RFC 5280 §4.2.1.10). */
export type Subtree =
  /** Lower case. */
  | { readonly kind: Exclude<AlternativeNameKind, 'ip' | 'email'>; readonly base: string }
  /** The domain in lower case, the local part unchanged. */
  | { readonly kind: 'email'; readonly base: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array; readonly prefixLength: number }
  | { readonly kind: 'directory'; readonly base: EncodedName }
  /** A name form that cannot be compared. */
  | { readonly kind: 'other'; readonly form: NameForm };

/** The subtrees within which a CA may issue certificates, and within which it may not. */
export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;

/**
 * Parses SEQUENCE { permittedSubtrees [0] OPTIONAL, excludedSubtrees [1] OPTIONAL }.
 *
 * @param extension the `Extension` element, or undefined if the certificate has none
 * @throws {CertificateError} when it is malformed
 */
export function parseNameConstraints(extension: DerElement | undefined): NameConstraints | undefined {
  if (!extension) return undefined;
  const { tag, children } = parseExtensionValue(extension);
  const order = children.map((child) => child.tag).join();
  const isWellFormed = [`${PERMITTED}`, `${EXCLUDED}`, `${PERMITTED},${EXCLUDED}`].includes(order);
  if (tag !== Tag.sequence || !isWellFormed) {
    throw malformed('expected permitted subtrees, excluded subtrees, or both in this order');
  }
  const subtreesOf = (wanted: number) => {
    const list = children.find((child) => child.tag === wanted);
    if (list?.children.length === 0) throw malformed('an empty list of subtrees');
    return list?.children.map(parseSubtree) ?? [];
  };
  return { permitted: subtreesOf(PERMITTED), excluded: subtreesOf(EXCLUDED) };
}

/**
 * SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }. RFC 5280 §4.2.1.10 allows no other minimum
 * and no maximum. DER omits the minimum, but one that is written out has the same meaning.
 */
function parseSubtree(element: DerElement): Subtree {
  const [base, ...bounds] = element.children;
  if (element.tag !== Tag.sequence || !base) throw malformed('a subtree without a base');
  requireNoBounds(bounds);
  if (base.tag === DIRECTORY_NAME_TAG) return { kind: 'directory', base: decodeDirectoryName(base) };
  const kind = kindByTag[base.tag];
  if (kind === undefined) return { kind: 'other', form: nameForm(base) };
  if (kind === 'ip') return parseAddressRange(base.content);
  const problem = alternativeNameProblem(kind, base.content);
  if (problem !== undefined) throw malformed(problem);
  const text = Buffer.from(base.content).toString('latin1');
  return kind === 'email' ? parseMailboxes(text) : { kind, base: hostOrDomain(text.toLowerCase()) };
}

const MINIMUM = 0x80;

function requireNoBounds([minimum, ...more]: readonly DerElement[]): void {
  if (!minimum) return;
  const [value, ...rest] = minimum.tag === MINIMUM ? parseInteger(minimum) : [undefined];
  if (value !== 0 || rest.length > 0) throw malformed('a subtree with a minimum other than 0, or a maximum');
  if (more.length > 0) throw malformed('a subtree with a maximum');
}

/** One mailbox, all mailboxes of a host, or all below a domain. */
function parseMailboxes(text: string): Subtree {
  const domain = text.lastIndexOf('@') + 1;
  const host = text.slice(domain).toLowerCase();
  if (domain === 0) return { kind: 'email', base: hostOrDomain(host) };
  if (domain === 1 || !isHostName(host)) throw malformed('an invalid mailbox');
  return { kind: 'email', base: text.slice(0, domain) + host };
}

/** An invalid host name matches no name: excluding it would exclude nothing. */
function hostOrDomain(text: string): string {
  if (text !== '' && !isHostName(text.replace(/^\./, '')))
    throw malformed(`"${text.slice(0, 120)}" is not a host name`);
  return text;
}

/** An address followed by a mask of the same length, which must be that of a CIDR block. */
function parseAddressRange(bytes: Uint8Array): Subtree {
  const half = bytes.length / 2;
  if (half !== 4 && half !== 16) throw malformed(`an address range of ${bytes.length} bytes`);
  const bits = [...bytes.subarray(half)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const prefixLength = bits.indexOf('0') === -1 ? bits.length : bits.indexOf('0');
  if (bits.includes('1', prefixLength)) throw malformed('an address mask with gaps');
  return { kind: 'ip', address: bytes.slice(0, half), prefixLength };
}

function malformed(problem: string): CertificateError {
  return new CertificateError(`its name constraints are malformed: ${problem}`);
}

/** RFC 1035 §2.3.4: 255 bytes, without the length bytes of the first label and of the root. */
const MAX_HOST_NAME_LENGTH = 253;

/** Dot-separated labels in lower case. A text with escapes or an extra dot could be parsed as another name. */
export function isHostName(text: string): boolean {
  if (text.length > MAX_HOST_NAME_LENGTH) return false;
  return /^[a-z0-9_-]/.test(text) && !/[^a-z0-9_.-]|\.\.|\.$/.test(text);
}
