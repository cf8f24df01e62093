import type { Subtree } from '../certificate/name-constraints.ts';
import { startsWithRdns } from '../certificate/names/compare-rdns.ts';
import type { EncodedName } from '../certificate/names/distinguished-name.ts';
import type { NameForm } from '../certificate/subject-alternative-names.ts';
import type { ConstrainedName } from './constrained-names.ts';

/**
 * Where a name is in relation to a subtree of its own form (RFC 5280 §4.2.1.10). `unclear` is a name that cannot be
 * compared: it is in no permitted subtree, and in every excluded one.
 */
export type SubtreePosition = 'within' | 'outside' | 'unclear';

/** Undefined if the name and the subtree have different forms, so that the constraint does not apply to the name. */
export function subtreePosition(name: ConstrainedName, subtree: Subtree): SubtreePosition | undefined {
  switch (name.kind) {
    case 'dns':
      return subtree.kind === 'dns' ? dnsPosition(name, subtree.base) : undefined;
    case 'email':
      return subtree.kind === 'email' ? emailPosition(name, subtree.base) : undefined;
    case 'uri':
      return subtree.kind === 'uri' ? uriPosition(name, subtree.base) : undefined;
    case 'ip':
      return subtree.kind === 'ip' ? addressPosition(name, subtree) : undefined;
    case 'directory':
      return subtree.kind === 'directory' ? directoryPosition(name.name, subtree.base) : undefined;
    case 'other':
      return subtree.kind === 'other' && mayBeSameForm(name.form, subtree.form) ? 'unclear' : undefined;
  }
}

/** Constraints on one type of otherName do not apply to another, as in OpenSSL. */
function mayBeSameForm(one: NameForm, other: NameForm): boolean {
  if (one.tag !== other.tag) return false;
  return one.type === undefined || other.type === undefined || one.type === other.type;
}

type NameOf<Kind extends ConstrainedName['kind']> = Extract<ConstrainedName, { kind: Kind }>;

/**
 * `example.com` covers itself and everything below it. RFC 5280 does not define a leading dot for DNS names; like
 * OpenSSL, Go and NSS, it covers only what is below. A wildcard stands for names on both sides of a base below its host.
 */
function dnsPosition({ host, isWildcard }: NameOf<'dns'>, base: string): SubtreePosition {
  if (base === '') return 'within';
  if (host === undefined) return 'unclear';
  const domain = base.startsWith('.') ? base.slice(1) : base;
  // All names that a wildcard stands for are below its host.
  if (isBelow(host, domain) || (host === domain && (isWildcard || domain === base))) return 'within';
  return isWildcard && isBelow(domain, host) ? 'unclear' : 'outside';
}

/**
 * A base is one mailbox, all of one host, or with a leading dot all hosts below a domain. RFC 5280 does not define an
 * empty base and implementations disagree: NSS and Go let it cover everything, OpenSSL nothing.
 */
function emailPosition({ text, host, isPlain }: NameOf<'email'>, base: string): SubtreePosition {
  if (host === undefined || base === '') return 'unclear';
  if (!base.includes('@')) return hostPosition(host, base);
  return isPlain || !base.endsWith(`@${host}`) ? withinIf(text === base) : 'unclear';
}

/** As for email addresses, but without mailboxes. */
function uriPosition({ host }: NameOf<'uri'>, base: string): SubtreePosition {
  return host === undefined || base === '' ? 'unclear' : hostPosition(host, base);
}

/** A base covers exactly its host, or with a leading dot only what is below it. */
function hostPosition(host: string, base: string): SubtreePosition {
  return withinIf(base.startsWith('.') ? isBelow(host, base.slice(1)) : host === base);
}

function isBelow(host: string, domain: string): boolean {
  return host.length > domain.length && host.endsWith(domain) && host[host.length - domain.length - 1] === '.';
}

function addressPosition({ bytes }: NameOf<'ip'>, subtree: Extract<Subtree, { kind: 'ip' }>): SubtreePosition {
  const { address, prefixLength } = subtree;
  if (bytes === undefined) return 'unclear';
  if (bytes.length !== address.length) return 'outside';
  const wholeBytes = prefixLength >> 3;
  const lastMask = 0xff00 >> (prefixLength & 7);
  const matches = (index: number, mask: number) => (((bytes[index] ?? 0) ^ (address[index] ?? 0)) & mask & 0xff) === 0;
  for (let index = 0; index < wholeBytes; index++) if (!matches(index, 0xff)) return 'outside';
  return withinIf((prefixLength & 7) === 0 || matches(wholeBytes, lastMask));
}

/**
 * A base covers every name that starts with it: the same RDNs, or more RDNs below them. RDNs match if they are the same
 * bytes or have the same canonical form. If one has none and no RDN differs otherwise, the position is unclear.
 */
function directoryPosition(name: EncodedName, base: EncodedName): SubtreePosition {
  if (base.rdns.length === 0) return 'within';
  if (name.canonical === undefined || base.canonical === undefined) {
    const isWithin = startsWithRdns(name, base);
    return isWithin === 'unclear' ? 'unclear' : withinIf(isWithin);
  }
  // The canonical text is a JSON list of RDNs: one list starts with another if its text does, up to a whole RDN.
  const prefix = base.canonical.slice(0, -1);
  const next = name.canonical[prefix.length];
  return withinIf(name.canonical.startsWith(prefix) && (next === ',' || next === ']'));
}

function withinIf(isWithin: boolean): SubtreePosition {
  return isWithin ? 'within' : 'outside';
}
