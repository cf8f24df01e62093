import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { attributeTypeName, attributeTypeOid } from '../../pki/certificate/names/attribute-types.ts';
import type { Attribute, MatchableName } from '../../pki/certificate/names/distinguished-name.ts';
import type { AlternativeNameKind } from '../../pki/certificate/subject-alternative-names.ts';
import type { RegisteredSubject } from './registered-subject.ts';

/**
 * Why other clients of the same CA can have this subject value as well: it names an organization, a group of machines,
 * or every machine. A heuristic by the usual meaning of names, since only the CA knows which certificates it issues.
 *
 * @returns the predicate of a sentence about the value; undefined if it appears to name one client
 */
export function sharedSubjectReason(subject: RegisteredSubject): string | undefined {
  if (subject.kind === 'dn' || subject.kind === 'verbatim_dn') return sharedNameReason(subject.name);
  // Its client is pinned, and a pattern is meant to match several certificates.
  return subject.kind === 'spiffe' ? undefined : sharedTextReason[subject.kind](subject.name);
}

/**
 * The attributes that usually differ between the subjects of one CA. All others classify: dnQualifier is the same for
 * all entries of a source (RFC 4519 §2.8), organizationIdentifier for all certificates of a company.
 */
const individualTypes = [
  'CN',
  'serialNumber',
  'UID',
  'emailAddress',
  'mail',
  'pseudonym',
  'unstructuredName',
  'x500UniqueIdentifier',
] as const;

const nameByOid: ReadonlyMap<string | undefined, string> = new Map(
  individualTypes.map((name) => [attributeTypeOid(name), name]),
);

function sharedNameReason({ rdns }: MatchableName): string | undefined {
  const attributes = rdns.flat();
  const individual = attributes.filter(({ type }) => nameByOid.has(type));
  if (individual.length === 0) {
    return `has no CN, serialNumber, UID or other attribute that differs between clients`;
  }
  const reasons = individual.map((attribute) => sharedAttributeReason(attribute, attributes));
  return reasons.includes(undefined) ? undefined : `does not differ between clients: ${reasons.join('; ')}`;
}

/** Why an individual attribute does not distinguish clients in this name, as a clause. */
function sharedAttributeReason({ type, value }: Attribute, all: readonly Attribute[]): string | undefined {
  const name = nameByOid.get(type);
  if (name === 'serialNumber' && all.some((other) => companyTypes.has(other.type)))
    return 'its serialNumber, beside a businessCategory or jurisdiction, is the number of a company';
  if (value.kind !== 'text') return undefined;
  const repeated = all.find((other) => !nameByOid.has(other.type) && hasText(other, value.text));
  if (repeated) return `its ${name} repeats its ${attributeTypeName(repeated.type) ?? repeated.type}`;
  const reason = sharedCommonNames.get(value.text.toLowerCase()) ?? sharedAnyTextReason(value.text);
  return reason && `its ${name} "${value.text}" ${reason}`;
}

/** The CA/Browser Forum's EV Guidelines define what serialNumber means beside these. */
const companyTypes: ReadonlySet<string | undefined> = new Set(
  ['businessCategory', 'jurisdictionC', 'jurisdictionST', 'jurisdictionL'].map(attributeTypeOid),
);

/** Defaults of CAs that issue to many clients, in lower case. */
const sharedCommonNames: ReadonlyMap<string, string> = new Map([
  ['aws iot certificate', 'is the CN of every certificate that AWS IoT generates'],
]);

function hasText({ value }: Attribute, text: string): boolean {
  return value.kind === 'text' && value.text.trim().toLowerCase() === text.trim().toLowerCase();
}

const sharedTextReason: Readonly<Record<AlternativeNameKind, (text: string) => string | undefined>> = {
  dns: sharedHostReason,
  ip: sharedHostReason,
  email: sharedMailboxReason,
  uri: sharedUriReason,
};

function sharedAnyTextReason(text: string): string | undefined {
  if (text.includes('@')) return sharedMailboxReason(text);
  return text.includes('://') ? sharedUriReason(text) : sharedHostReason(text);
}

function sharedHostReason(host: string): string | undefined {
  if (host.includes('*')) return 'is a wildcard, which names many hosts';
  // RFC 6761 §6.3; Linux distributions add the other names to the same addresses.
  if (/^(?:(?:.*\.)?localhost|localhost6?\.localdomain6?|ip6-(?:localhost|loopback))\.?$/i.test(host))
    return 'is the name of every machine for itself (RFC 6761 §6.3)';
  const isVersion6 = mayBeVersion6(host) && isIPv6(host);
  if (!isVersion6 && !isIPv4(host)) return undefined;
  return sharedAddresses.find(({ list }) => list.check(host, isVersion6 ? 'ipv6' : 'ipv4'))?.reason;
}

function sharedMailboxReason(address: string): string | undefined {
  const [, mailbox = '', domain = ''] = /^(.*)@(.*)$/s.exec(address) ?? [];
  if (roleMailboxes.has(mailbox.toLowerCase())) return 'is the mailbox of a role, not of one client (RFC 2142)';
  const reason = sharedHostReason(domain);
  return reason && `is at ${domain}, which ${reason}`;
}

/** Those of RFC 2142, and others that certificate requests usually contain. */
const roleMailboxes: ReadonlySet<string> = new Set(
  (
    'info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp ' +
    'admin administrator root contact noreply no-reply'
  ).split(' '),
);

/** A URI without a path names no more than its host, or a SPIFFE trust domain. */
function sharedUriReason(text: string): string | undefined {
  const uri = text.includes('://') ? URL.parse(text) : undefined;
  if (!uri || uri.pathname.replaceAll('/', '') + uri.search + uri.hash !== '') return undefined;
  if (uri.protocol === 'spiffe:') return 'is a trust domain, which all of its workloads share; a SPIFFE ID has a path';
  const host = uri.hostname.replace(/^\[(.*)\]$/, '$1');
  const reason = sharedHostReason(host);
  return reason && `has no path, and its host ${host} ${reason}`;
}

const sharedAddresses = [
  { list: blockList('127.0.0.0/8', '::1/128'), reason: 'is the loopback address of every machine' },
  { list: blockList('0.0.0.0/8', '::/128'), reason: 'is not the address of a machine' },
  {
    list: blockList('169.254.0.0/16', 'fe80::/10'),
    reason: 'is a link-local address, which every network reuses (RFC 3927, RFC 4291 §2.5.6)',
  },
  {
    list: blockList('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'),
    reason: 'is a private address, which other networks reuse (RFC 1918, RFC 4193)',
  },
  { list: blockList('100.64.0.0/10'), reason: 'is an address that carriers share (RFC 6598)' },
  {
    list: blockList('224.0.0.0/4', 'ff00::/8', '255.255.255.255/32'),
    reason: 'is a multicast or broadcast address',
  },
];

function blockList(...blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix] = block.split('/');
    list.addSubnet(address, Number(prefix), mayBeVersion6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** isIP and isIPv6 compile a regular expression, which takes 4 ms of a start. */
function mayBeVersion6(address: string): boolean {
  return address.includes(':');
}
