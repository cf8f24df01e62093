import { CertificateError } from './certificate-error.ts';
import { type DerElement, Tag } from './der.ts';
import type { DistinguishedName } from './names/distinguished-name.ts';
import { parseExtensionValue } from './structure.ts';
import {
  type AlternativeNameKind,
  DIRECTORY_NAME_TAG,
  decodeDirectoryName,
  decodeIa5String,
  kindByTag,
} from './subject-alternative-names.ts';

/** A part of the space of names of one form (RFC 5280 §4.2.1.10). */
export type Subtree =
  /** Lower case. */
  | { readonly kind: Exclude<AlternativeNameKind, 'ip' | 'email'>; readonly base: string }
  /** The domain in lower case, the local part as it stands. */
  | { readonly kind: 'email'; readonly base: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array; readonly prefixLength: number }
  | { readonly kind: 'directory'; readonly base: DistinguishedName }
  /** A form that we cannot compare; `tag` is that of the GeneralName. */
  | { readonly kind: 'other'; readonly tag: number };

/** Within which names an authority may issue, and within which it may not. */
export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;

/**
 * Reads SEQUENCE { permittedSubtrees [0] OPTIONAL, excludedSubtrees [1] OPTIONAL }.
 *
 * @param extension the `Extension` element, or undefined where the certificate has none
 * @throws {CertificateError} when it is malformed
 */
export function parseNameConstraints(extension: DerElement | undefined): NameConstraints | undefined {
  if (!extension) return undefined;
  const { tag, children } = parseExtensionValue(extension);
  const order = children.map((child) => child.tag).join();
  const wellFormed = [`${PERMITTED}`, `${EXCLUDED}`, `${PERMITTED},${EXCLUDED}`].includes(order);
  if (tag !== Tag.sequence || !wellFormed) throw malformed('its outline');
  const subtreesOf = (wanted: number) => {
    const list = children.find((child) => child.tag === wanted);
    if (list?.children.length === 0) throw malformed('an empty list of subtrees');
    return list?.children.map(parseSubtree) ?? [];
  };
  return { permitted: subtreesOf(PERMITTED), excluded: subtreesOf(EXCLUDED) };
}

/** The base alone: minimum must be 0, which DER does not write, and maximum absent. */
function parseSubtree(element: DerElement): Subtree {
  const [base, ...bounds] = element.children;
  if (element.tag !== Tag.sequence || !base || bounds.length > 0) throw malformed('a subtree with bounds, or none');
  if (base.tag === DIRECTORY_NAME_TAG) return { kind: 'directory', base: decodeDirectoryName(base) };
  const kind = kindByTag[base.tag];
  if (kind === undefined) return { kind: 'other', tag: base.tag };
  if (kind === 'ip') return parseAddressRange(base.content);
  const text = decodeIa5String(base.content, kind);
  return kind === 'email' ? parseMailboxes(text) : { kind, base: hostOrDomain(text.toLowerCase()) };
}

/** One mailbox, or all of a host or below a domain. */
function parseMailboxes(text: string): Subtree {
  const domain = text.lastIndexOf('@') + 1;
  const host = text.slice(domain).toLowerCase();
  if (domain === 0) return { kind: 'email', base: hostOrDomain(host) };
  if (domain === 1 || !isHostName(host)) throw malformed('a mailbox that is none');
  return { kind: 'email', base: text.slice(0, domain) + host };
}

/** What is no host name is within no subtree: to exclude it would exclude nothing. */
function hostOrDomain(text: string): string {
  if (text !== '' && !isHostName(text.replace(/^\./, ''))) throw malformed(`"${text.slice(0, 120)}" is no host name`);
  return text;
}

/** The address and as long a mask, which is that of a CIDR block. */
function parseAddressRange(octets: Uint8Array): Subtree {
  const half = octets.length / 2;
  if (half !== 4 && half !== 16) throw malformed(`an address range of ${octets.length} octets`);
  const bits = [...octets.subarray(half)].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  const prefixLength = bits.indexOf('0') === -1 ? bits.length : bits.indexOf('0');
  if (bits.includes('1', prefixLength)) throw malformed('an address mask with gaps');
  return { kind: 'ip', address: octets.slice(0, half), prefixLength };
}

function malformed(what: string): CertificateError {
  return new CertificateError(`its name constraints are malformed: ${what}`);
}

/** RFC 1035 §2.3.4, without the length octets of the first label and of the root. */
const MAX_HOST_NAME_LENGTH = 253;

/** Labels with dots between, in lower case. What has escapes, or a dot too many, could be read as another name. */
export function isHostName(text: string): boolean {
  if (text.length > MAX_HOST_NAME_LENGTH) return false;
  return /^[a-z0-9_-]/.test(text) && !/[^a-z0-9_.-]|\.\.|\.$/.test(text);
}
