import { isIP, SocketAddress } from 'node:net';
import { CertificateError } from './certificate-error.ts';
import { extensionValue } from './certificate-structure.ts';
import { type DerElement, Tag } from './der.ts';

/** The kinds of subject alternative name that a client can be registered by (RFC 8705 §2.1.2). */
export type AlternativeNameKind = 'dns' | 'uri' | 'ip' | 'email';

/** Every name of each kind, in the form in which it is compared: see {@link normalizeAlternativeName}. */
export type SubjectAlternativeNames = Readonly<Record<AlternativeNameKind, readonly string[]>>;

export const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/** The tags of GeneralName that we read (RFC 5280 §4.2.1.6); a name of another kind identifies nobody here. */
const kindOfTag: Readonly<Record<number, AlternativeNameKind>> = { 129: 'email', 130: 'dns', 134: 'uri', 135: 'ip' };

/**
 * Reads the subject alternative names of a certificate.
 *
 * @param extension the `Extension` element, or undefined where the certificate has none
 * @throws {CertificateError} when a name is malformed
 */
export function readSubjectAlternativeNames(extension: DerElement | undefined): SubjectAlternativeNames {
  const names = { dns: [] as string[], uri: [] as string[], ip: [] as string[], email: [] as string[] };
  for (const { tag, content } of extension ? generalNames(extension) : []) {
    const kind = kindOfTag[tag];
    if (kind === undefined) continue;
    const text = kind === 'ip' ? addressOfOctets(content) : ia5Text(content, kind);
    names[kind].push(comparisonForm[kind](text));
  }
  return names;
}

/**
 * The form in which a registered name is compared with a certificate's.
 *
 * - `dns`: case does not count (RFC 5280 §7.2); a trailing dot and a wildcard are refused: neither names one host.
 * - `uri`: exactly as it stands (RFC 3986 §6.2.1).
 * - `ip`: by its octets (RFC 8705 §2.1.2, RFC 5952 §8).
 * - `email`: the case of the domain does not count, that of the local part does (RFC 5280 §7.5).
 *
 * @throws {CertificateError} naming what is wrong with the registered text
 */
export function normalizeAlternativeName(kind: AlternativeNameKind, text: string): string {
  registrationRule[kind](text);
  return comparisonForm[kind](text);
}

const lowerCase = (text: string) => text.toLowerCase();

const comparisonForm: Readonly<Record<AlternativeNameKind, (text: string) => string>> = {
  dns: lowerCase,
  uri: (text) => text,
  ip: (text) => new SocketAddress({ address: text, family: isIP(text) === 6 ? 'ipv6' : 'ipv4' }).address,
  email: (text) => {
    const at = text.lastIndexOf('@');
    return text.slice(0, at) + lowerCase(text.slice(at));
  },
};

const registrationRule: Readonly<Record<AlternativeNameKind, (text: string) => void>> = {
  dns: requirePattern(/^(?!.*\.$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})$/, 'a DNS name such as client.example.com'),
  uri: requirePattern(/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]{1,2047}$/, 'a URI such as spiffe://example.com/client'),
  ip: (text) => {
    if (isIP(text) === 0 || text.includes('%'))
      throw new CertificateError('expected an IP address such as 192.0.2.7 or 2001:db8::7');
  },
  email: requirePattern(/^[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9.-]{1,255}$/, 'an address such as client@example.com'),
};

function requirePattern(pattern: RegExp, what: string): (text: string) => void {
  return (text) => {
    if (!pattern.test(text)) throw new CertificateError(`expected ${what}`);
  };
}

/** RFC 5280 §4.2.1.6: a SEQUENCE of at least one GeneralName, which are context tags 0 to 8. */
function generalNames(extension: DerElement): readonly DerElement[] {
  const { tag, children } = extensionValue(extension);
  const wellFormed = tag === Tag.sequence && children.every((name) => generalNameTags.has(name.tag));
  if (!wellFormed || children.length === 0) throw new CertificateError('its subject alternative names are malformed');
  return children;
}

const generalNameTags: ReadonlySet<number> = new Set([0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]);

function ia5Text(octets: Uint8Array, kind: AlternativeNameKind): string {
  if (octets.some((octet) => octet < 0x20 || octet > 0x7e)) {
    throw new CertificateError(`has a subject alternative name (${kind}) with a control or non-ASCII character`);
  }
  return Buffer.from(octets).toString('latin1');
}

function addressOfOctets(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) throw new CertificateError(`has an IP address of ${octets.length} octets`);
  return Buffer.from(octets)
    .toString('hex')
    .replace(/(.{4})(?!$)/g, '$1:');
}
