import type { Subtree } from '../pki/certificate/name-constraints.ts';
import type { DistinguishedName } from '../pki/certificate/names/distinguished-name.ts';
import type { ConstrainedName } from './constrained-names.ts';

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
