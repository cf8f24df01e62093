import type { Certificate } from '../pki/certificate/certificate.ts';
import { isHostName } from '../pki/certificate/name-constraints.ts';
import type { DistinguishedName } from '../pki/certificate/names/distinguished-name.ts';
import type { AlternativeNameKind } from '../pki/certificate/subject-alternative-names.ts';
import { addressOctets } from './address-octets.ts';

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
  const { subject, alternativeNames, furtherNames } = certificate;
  if (subject.rdns.length > 0) yield { kind: 'directory', name: subject };
  for (const kind of ['dns', 'uri', 'ip', 'email'] as const) {
    for (const text of alternativeNames[kind]) yield textReaders[kind](text);
  }
  for (const name of furtherNames.directory) yield { kind: 'directory', name };
  for (const tag of furtherNames.otherForms) yield { kind: 'other', tag };
  // RFC 9598 §6: constraints on email addresses are about these, too. They are not read, so they are within none.
  if (furtherNames.hasUtf8Mailbox) yield { kind: 'email', text: '', host: undefined, isPlain: false };
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
