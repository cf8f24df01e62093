import type { Certificate } from '../certificate/certificate.ts';
import type { DistinguishedName } from '../certificate/distinguished-name.ts';
import type { ConstrainedName } from './subtree-matching.ts';

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
    for (const text of alternativeNames[kind]) yield { kind, text };
  }
  for (const name of furtherNames.directory) yield { kind: 'directory', name };
  for (const tag of furtherNames.otherForms) yield { kind: 'other', tag };
  // RFC 9598 §6: constraints on email addresses are about these, too. They are not read, so they are within none.
  if (furtherNames.hasUtf8Mailbox) yield { kind: 'email', text: '' };
  for (const text of textsOf(subject, EMAIL_ADDRESS)) yield { kind: 'email', text: lowerCaseDomain(text) };
  if (!isLeaf || alternativeNames.dns.length > 0) return;
  for (const text of textsOf(subject, COMMON_NAME)) {
    if (looksLikeHost(text)) yield { kind: 'dns', text: text.toLowerCase() };
  }
}

function* textsOf({ rdns }: DistinguishedName, type: string): Generator<string> {
  for (const attribute of rdns.flat()) {
    if (attribute.type === type) yield attribute.value.kind === 'text' ? attribute.value.text : '';
  }
}

function lowerCaseDomain(address: string): string {
  const domain = address.lastIndexOf('@') + 1;
  return address.slice(0, domain) + address.slice(domain).toLowerCase();
}

/** Labels of letters, digits and hyphens with at least one dot between. */
function looksLikeHost(text: string): boolean {
  return text.length <= 253 && /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/i.test(text);
}
