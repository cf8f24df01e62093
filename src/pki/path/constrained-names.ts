import type { Certificate } from '../certificate/certificate.ts';
import { isHostName, type Subtree } from '../certificate/name-constraints.ts';
import type { DistinguishedName } from '../certificate/names/distinguished-name.ts';
import type { AlternativeNameKind } from '../certificate/subject-alternative-names.ts';

/**
 * How a name lies to a subtree of its own form (RFC 5280 §4.2.1.10). `unclear` is a name that cannot be compared: it
 * is within no permitted subtree, and within every excluded one.
 */
export type Position = 'within' | 'outside' | 'unclear';

/** Undefined where the two are of different forms, so that the subtree says nothing about the name. */
export function positionOf(name: ConstrainedName, subtree: Subtree): Position | undefined {
  switch (name.kind) {
    case 'dns':
      return subtree.kind === 'dns' ? dnsPosition(name, subtree.base) : undefined;
    case 'email':
      return subtree.kind === 'email' ? emailPosition(name, subtree.base) : undefined;
    case 'uri':
      return subtree.kind === 'uri' ? uriPosition(name, subtree.base) : undefined;
    case 'ip':
      return subtree.kind === 'ip' ? addressPosition(name.octets, subtree) : undefined;
    case 'directory':
      return subtree.kind === 'directory' ? directoryPosition(name.name, subtree.base) : undefined;
    case 'other':
      return subtree.kind === 'other' && subtree.tag === name.tag ? 'unclear' : undefined;
  }
}

type NameOf<Kind extends ConstrainedName['kind']> = Extract<ConstrainedName, { kind: Kind }>;

/** A name is within every name that it begins with: as many RDNs, or more below them. */
function directoryPosition(name: DistinguishedName, base: DistinguishedName): Position {
  if (base.rdns.length === 0) return 'within';
  if (name.canonical === undefined || base.canonical === undefined) return 'unclear';
  // The canonical text is a JSON list of RDNs; one list begins with another where the text does, up to a whole RDN.
  const beginning = base.canonical.slice(0, -1);
  const next = name.canonical[beginning.length];
  return within(name.canonical.startsWith(beginning) && (next === ',' || next === ']'));
}

/**
 * `example.com` holds itself and all below it. With a dot before it, which RFC 5280 does not define here, OpenSSL, Go
 * and NSS take what is below it alone. A wildcard stands for names that may lie on either side of what is below it.
 */
function dnsPosition({ host, isWildcard }: NameOf<'dns'>, base: string): Position {
  if (base === '') return 'within';
  if (host === undefined) return 'unclear';
  const domain = base.startsWith('.') ? base.slice(1) : base;
  // All that a wildcard stands for is below its host.
  if (isBelow(host, domain) || (host === domain && (isWildcard || domain === base))) return 'within';
  return isWildcard && isBelow(domain, host) ? 'unclear' : 'outside';
}

/**
 * One mailbox, all of one host, or with a dot before it all of the hosts below a domain. RFC 5280 does not say what an
 * empty one holds, and software does not agree: to NSS and Go it is everything, to OpenSSL nothing.
 */
function emailPosition({ text, host, isPlain }: NameOf<'email'>, base: string): Position {
  if (host === undefined || base === '') return 'unclear';
  if (!base.includes('@')) return hostPosition(host, base);
  return isPlain || !base.endsWith(`@${host}`) ? within(text === base) : 'unclear';
}

/** As for email addresses, but that there are no mailboxes. */
function uriPosition({ host }: NameOf<'uri'>, base: string): Position {
  return host === undefined || base === '' ? 'unclear' : hostPosition(host, base);
}

/** Exactly the host, or with a dot before it what is below it alone. */
function hostPosition(host: string, base: string): Position {
  return within(base.startsWith('.') ? isBelow(host, base.slice(1)) : host === base);
}

function isBelow(host: string, domain: string): boolean {
  return host.length > domain.length && host.endsWith(domain) && host[host.length - domain.length - 1] === '.';
}

function addressPosition(own: readonly number[], subtree: Extract<Subtree, { kind: 'ip' }>): Position {
  const { address, prefixLength } = subtree;
  if (own.length !== address.length) return 'outside';
  const whole = prefixLength >> 3;
  const rest = 0xff00 >> (prefixLength & 7);
  const sameBits = (index: number, mask: number) => (((own[index] ?? 0) ^ (address[index] ?? 0)) & mask & 0xff) === 0;
  for (let index = 0; index < whole; index++) if (!sameBits(index, 0xff)) return 'outside';
  return within((prefixLength & 7) === 0 || sameBits(whole, rest));
}

function within(isWithin: boolean): Position {
  return isWithin ? 'within' : 'outside';
}

/** A name of a certificate, in the form in which it is compared. What has no host cannot be compared. */
export type ConstrainedName =
  | { readonly kind: 'dns'; readonly text: string; readonly host: string | undefined; readonly isWildcard: boolean }
  | { readonly kind: 'email'; readonly text: string; readonly host: string | undefined; readonly isPlain: boolean }
  | { readonly kind: 'uri'; readonly text: string; readonly host: string | undefined }
  | { readonly kind: 'ip'; readonly text: string; readonly octets: readonly number[] }
  | { readonly kind: 'directory'; readonly name: DistinguishedName }
  | { readonly kind: 'other'; readonly tag: number };

const COMMON_NAME = '2.5.4.3';
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

/**
 * Every name of a certificate that name constraints are about (RFC 5280 §4.2.1.10): its subject unless that is empty,
 * the email addresses in it, its alternative names; and of a leaf without a DNS name each CN that looks like one, since
 * software goes on reading those (as OpenSSL does).
 */
export function* constrainedNames(certificate: Certificate, isLeaf: boolean): Generator<ConstrainedName> {
  const { subject, alternativeNames, otherNames } = certificate;
  if (subject.rdns.length > 0) yield { kind: 'directory', name: subject };
  for (const kind of ['dns', 'uri', 'ip', 'email'] as const) {
    for (const text of alternativeNames[kind]) yield textReaders[kind](text);
  }
  for (const name of otherNames.directory) yield { kind: 'directory', name };
  for (const tag of otherNames.otherForms) yield { kind: 'other', tag };
  // RFC 9598 §6: constraints on email addresses are about these, too. They are not read, so they are within none.
  if (otherNames.hasUtf8Mailbox) yield { kind: 'email', text: '', host: undefined, isPlain: false };
  for (const text of textsOf(subject, EMAIL_ADDRESS)) yield readEmail(text);
  if (!isLeaf || alternativeNames.dns.length > 0) return;
  for (const text of textsOf(subject, COMMON_NAME)) {
    if (looksLikeHost(text)) yield readDns(text.toLowerCase());
  }
}

const textReaders: Readonly<Record<AlternativeNameKind, (text: string) => ConstrainedName>> = {
  dns: readDns,
  email: readEmail,
  uri: (text) => ({ kind: 'uri', text, host: hostOfUri(text) }),
  ip: (text) => ({ kind: 'ip', text, octets: addressOctets(text) }),
};

/** The host of `*.example.com` is `example.com`. */
function readDns(text: string): ConstrainedName {
  const isWildcard = text.startsWith('*.');
  const host = isWildcard ? text.slice(2) : text;
  return { kind: 'dns', text, host: isHostName(host) ? host : undefined, isWildcard };
}

/**
 * A local part is plain, or between quotes, which could write the same mailbox in another way (RFC 5321 §4.1.2). Any
 * other is no address.
 */
function readEmail(address: string): ConstrainedName {
  const at = address.lastIndexOf('@');
  const [localPart, host] = [address.slice(0, Math.max(at, 0)), address.slice(at + 1).toLowerCase()];
  const isPlain = /^[^@"\\\s]+$/.test(localPart);
  const isAddress = (isPlain || /^"(?:[^"\\]|\\.)*"$/.test(localPart)) && isHostName(host);
  return { kind: 'email', text: `${localPart}@${host}`, host: isAddress ? host : undefined, isPlain };
}

/** The host of a URI, which must be there and be a name: RFC 5280 has all others rejected. */
function hostOfUri(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@\\]*@)?([^/?#@:[\]]+)(?::\d*)?(?:[/?#]|$)/i.exec(uri);
  const host = authority?.[1]?.toLowerCase();
  return host !== undefined && isHostName(host) && !/^[\d.]+$/.test(host) ? host : undefined;
}

function* textsOf({ rdns }: DistinguishedName, type: string): Generator<string> {
  for (const attribute of rdns.flat()) {
    if (attribute.type === type) yield attribute.value.kind === 'text' ? attribute.value.text : '';
  }
}

/** Labels of letters, digits and hyphens with at least one dot between; the first may be a wildcard. */
function looksLikeHost(text: string): boolean {
  return /^(?:\*|[a-z0-9_-]+)(?:\.[a-z0-9_-]+)+$/i.test(text);
}

/** The octets of an address as a certificate's names hold it: dotted, or in the short form of IPv6 (RFC 5952). */
export function addressOctets(text: string): readonly number[] {
  if (!text.includes(':')) return text.split('.').map(Number);
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').flatMap(groupOctets));
  const [before, after] = [groups(head), groups(tail ?? '')];
  return [...before, ...Array<number>(tail === undefined ? 0 : 16 - before.length - after.length).fill(0), ...after];
}

/** Two octets of a group, or four where the end is dotted. */
function groupOctets(group: string): number[] {
  if (group.includes('.')) return group.split('.').map(Number);
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}
