import type { DistinguishedName } from '../certificate/distinguished-name.ts';
import type { Subtree } from '../certificate/name-constraints.ts';

/** A name of a certificate, in the form in which it is compared. */
export type ConstrainedName =
  | { readonly kind: 'dns' | 'email' | 'uri' | 'ip'; readonly text: string }
  | { readonly kind: 'directory'; readonly name: DistinguishedName }
  | { readonly kind: 'other'; readonly tag: number };

/**
 * How a name lies to a subtree of its own form (RFC 5280 §4.2.1.10). `unclear` is a name that cannot be compared: it
 * is within no permitted subtree, and within every excluded one.
 */
export type Position = 'within' | 'outside' | 'unclear';

/** Undefined where the two are of different forms, so that the subtree says nothing about the name. */
export function positionOf(name: ConstrainedName, subtree: Subtree): Position | undefined {
  if (name.kind === 'other') return subtree.kind === 'other' && subtree.tag === name.tag ? 'unclear' : undefined;
  if (name.kind === 'directory')
    return subtree.kind === 'directory' ? directoryPosition(name.name, subtree.base) : undefined;
  if (subtree.kind === 'ip') return name.kind === 'ip' ? addressPosition(name.text, subtree) : undefined;
  if (subtree.kind === 'other' || subtree.kind === 'directory' || subtree.kind !== name.kind) return undefined;
  return textPositions[subtree.kind](name.text, subtree.base);
}

/** A name is within every name that it begins with: as many RDNs, or more below them. */
function directoryPosition(name: DistinguishedName, base: DistinguishedName): Position {
  if (base.rdns.length === 0) return 'within';
  if (name.canonical === undefined || base.canonical === undefined) return 'unclear';
  // The canonical text is a JSON list of RDNs; one list begins with another where the text does, up to a whole RDN.
  const beginning = base.canonical.slice(0, -1);
  const next = name.canonical[beginning.length];
  return within(name.canonical.startsWith(beginning) && (next === ',' || next === ']'));
}

const textPositions = { dns: dnsPosition, email: emailPosition, uri: uriPosition } as const;

/**
 * `example.com` holds itself and all below it. With a dot before it, which RFC 5280 does not define here, OpenSSL, Go
 * and NSS take what is below it alone. A wildcard stands for names that may lie on either side of what is below it.
 */
function dnsPosition(name: string, base: string): Position {
  if (base === '') return 'within';
  if (!isHostName(name.replace(/^\*\./, ''))) return 'unclear';
  const host = name.startsWith('*.') ? name.slice(1) : name;
  const parent = base.startsWith('.') ? base : `.${base}`;
  if (host.endsWith(parent) || name === base) return 'within';
  const isWildcard = host !== name;
  return isWildcard && parent.endsWith(host) ? 'unclear' : 'outside';
}

/** One mailbox, all of one host, or with a dot before it all of the hosts below a domain. */
function emailPosition(name: string, base: string): Position {
  const at = name.lastIndexOf('@');
  const host = name.slice(at + 1);
  if (at <= 0 || !isHostName(host)) return 'unclear';
  if (base === '') return 'within';
  return base.includes('@') ? within(name === base) : hostPosition(host, base);
}

/** The host of a URI, which must be there and be a name: RFC 5280 has all others rejected. */
function uriPosition(name: string, base: string): Position {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#@:[\]]+)(?::\d*)?(?:[/?#]|$)/i
    .exec(name)?.[1]
    ?.toLowerCase();
  if (host === undefined || !isHostName(host) || /^[\d.]+$/.test(host)) return 'unclear';
  return base === '' ? 'within' : hostPosition(host, base);
}

/** Labels with dots between. What has escapes, or a dot too many, could be read as another name. */
function isHostName(text: string): boolean {
  return /^[a-z0-9_-]/.test(text) && !/[^a-z0-9_.-]|\.\.|\.$/.test(text);
}

/** Exactly the host, or with a dot before it what is below it alone. */
function hostPosition(host: string, base: string): Position {
  return within(base.startsWith('.') ? host.endsWith(base) && host.length > base.length : host === base);
}

function addressPosition(text: string, { address, prefixLength }: Extract<Subtree, { kind: 'ip' }>): Position {
  const own = octetsOf(text);
  if (own.length !== address.length) return 'outside';
  const whole = prefixLength >> 3;
  const rest = 0xff00 >> (prefixLength & 7);
  const sameBits = (index: number, mask: number) => (((own[index] ?? 0) ^ (address[index] ?? 0)) & mask & 0xff) === 0;
  for (let index = 0; index < whole; index++) if (!sameBits(index, 0xff)) return 'outside';
  return within((prefixLength & 7) === 0 || sameBits(whole, rest));
}

/** The octets of an address as {@link readAlternativeNames} writes it: dotted, or in the short form of IPv6. */
function octetsOf(text: string): number[] {
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

function within(isWithin: boolean): Position {
  return isWithin ? 'within' : 'outside';
}
