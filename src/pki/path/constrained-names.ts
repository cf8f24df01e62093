import type { Certificate } from '../certificate/certificate.ts';
import { isHostName } from '../certificate/name-constraints.ts';
import type { DistinguishedName, EncodedName } from '../certificate/names/distinguished-name.ts';
import type { AlternativeNameKind, NameForm } from '../certificate/subject-alternative-names.ts';

/** A name of a certificate, normalized for comparison. One without a `host` or `bytes` cannot be compared. */
export type ConstrainedName =
  | { readonly kind: 'dns'; readonly text: string; readonly host: string | undefined; readonly isWildcard: boolean }
  | { readonly kind: 'email'; readonly text: string; readonly host: string | undefined; readonly isPlain: boolean }
  | { readonly kind: 'uri'; readonly text: string; readonly host: string | undefined }
  | { readonly kind: 'ip'; readonly text: string; readonly bytes: readonly number[] | undefined }
  | { readonly kind: 'directory'; readonly name: EncodedName }
  | { readonly kind: 'other'; readonly form: NameForm };

const COMMON_NAME = '2.5.4.3';
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

/**
 * The names of a certificate to which name constraints apply (RFC 5280 §4.2.1.10): a non-empty subject, the email
 * addresses in it, and the subject alternative names. For a leaf without a DNS name, also each CN that looks like one,
 * since software still uses those (as OpenSSL does).
 */
export function* constrainedNames(certificate: Certificate, isLeaf: boolean): Generator<ConstrainedName> {
  const { subject, alternativeNames, otherNames } = certificate;
  if (subject.rdns.length > 0) yield { kind: 'directory', name: subject };
  for (const kind of ['dns', 'uri', 'ip', 'email'] as const) {
    for (const text of alternativeNames[kind]) yield parseAs[kind](text);
  }
  for (const kind of otherNames.malformed.keys()) yield malformedName[kind];
  for (const name of otherNames.directory) yield { kind: 'directory', name };
  for (const form of otherNames.otherForms) yield { kind: 'other', form };
  // RFC 9598 §6: constraints on email addresses apply to these as well. They are not parsed, so they match none.
  if (otherNames.hasUtf8Mailbox) yield malformedName.email;
  for (const text of textsOf(subject, EMAIL_ADDRESS)) yield parseEmail(text);
  if (!isLeaf || alternativeNames.dns.length > 0) return;
  for (const text of textsOf(subject, COMMON_NAME)) {
    if (looksLikeHost(text)) yield parseDnsName(text.toLowerCase());
  }
}

const parseAs: Readonly<Record<AlternativeNameKind, (text: string) => ConstrainedName>> = {
  dns: parseDnsName,
  email: parseEmail,
  uri: (text) => ({ kind: 'uri', text, host: hostOfUri(text) }),
  ip: (text) => ({ kind: 'ip', text, bytes: addressBytes(text) }),
};

/** Names that identify no client, but that a constraint applies to. */
const malformedName: Readonly<Record<AlternativeNameKind, ConstrainedName>> = {
  dns: { kind: 'dns', text: '', host: undefined, isWildcard: false },
  email: { kind: 'email', text: '', host: undefined, isPlain: false },
  uri: { kind: 'uri', text: '', host: undefined },
  ip: { kind: 'ip', text: '', bytes: undefined },
};

/** The host of `*.example.com` is `example.com`. */
function parseDnsName(text: string): ConstrainedName {
  const isWildcard = text.startsWith('*.');
  const host = isWildcard ? text.slice(2) : text;
  return { kind: 'dns', text, host: isHostName(host) ? host : undefined, isWildcard };
}

/**
 * A local part is plain or quoted. A quoted one can be another notation of the same mailbox (RFC 5321 §4.1.2). Anything
 * else is not an email address.
 */
function parseEmail(address: string): ConstrainedName {
  const at = address.lastIndexOf('@');
  const [localPart, host] = [address.slice(0, Math.max(at, 0)), address.slice(at + 1).toLowerCase()];
  const isPlain = /^[^@"\\\s]+$/.test(localPart);
  const isAddress = (isPlain || /^"(?:[^"\\]|\\.)*"$/.test(localPart)) && isHostName(host);
  return { kind: 'email', text: `${localPart}@${host}`, host: isAddress ? host : undefined, isPlain };
}

/** The host of a URI. RFC 5280 requires rejecting a URI without one, or with an IP address in its place. */
function hostOfUri(uri: string): string | undefined {
  const match = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@\\]*@)?([^/?#@:[\]]+)(?::\d*)?(?:[/?#]|$)/i.exec(uri);
  const host = match?.[1]?.toLowerCase();
  return host !== undefined && isHostName(host) && !/^[\d.]+$/.test(host) ? host : undefined;
}

function* textsOf({ rdns }: DistinguishedName, type: string): Generator<string> {
  for (const attribute of rdns.flat()) {
    if (attribute.type === type) yield attribute.value.kind === 'text' ? attribute.value.text : '';
  }
}

/** At least two labels of letters, digits, hyphens and underscores; the first may be a wildcard. */
function looksLikeHost(text: string): boolean {
  return /^(?:\*|[a-z0-9_-]+)(?:\.[a-z0-9_-]+)+$/i.test(text);
}

/** The bytes of a normalized IP address: dotted, or in the short form of IPv6 (RFC 5952). */
function addressBytes(text: string): readonly number[] {
  if (!text.includes(':')) return text.split('.').map(Number);
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').flatMap(groupBytes));
  const [before, after] = [groups(head), groups(tail ?? '')];
  return [...before, ...Array<number>(tail === undefined ? 0 : 16 - before.length - after.length).fill(0), ...after];
}

/** The two bytes of a group, or four for a dotted one at the end. */
function groupBytes(group: string): number[] {
  if (group.includes('.')) return group.split('.').map(Number);
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}
