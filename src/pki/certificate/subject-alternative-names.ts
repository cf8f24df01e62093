import { isIP, SocketAddress } from 'node:net';
import { CertificateError } from './certificate-error.ts';
import { type DerElement, parseObjectIdentifier, Tag } from './der.ts';
import { type DistinguishedName, decodeDistinguishedName } from './names/distinguished-name.ts';
import { parseExtensionValue } from './structure.ts';

/** The kinds of subject alternative name that a client can be registered by (RFC 8705 §2.1.2). */
export type AlternativeNameKind = 'dns' | 'uri' | 'ip' | 'email';

/** Every name of each kind, in the form in which it is compared: see {@link normalizeAlternativeName}. */
export type SubjectAlternativeNames = Readonly<Record<AlternativeNameKind, readonly string[]>>;

/** Names that identify nobody here, and that name constraints may yet be about (RFC 5280 §4.2.1.10). */
export interface OtherNames {
  readonly directory: readonly DistinguishedName[];
  /** The tags of the other forms of GeneralName that occur: otherName, x400Address, ediPartyName, registeredID. */
  readonly otherForms: ReadonlySet<number>;
  /** Whether there is an email address with characters beyond ASCII (SmtpUTF8Mailbox, RFC 9598 §3). */
  readonly hasUtf8Mailbox: boolean;
}

/** The tags of GeneralName that can identify (RFC 5280 §4.2.1.6). */
export const kindByTag: Readonly<Record<number, AlternativeNameKind>> = {
  129: 'email',
  130: 'dns',
  134: 'uri',
  135: 'ip',
};

/** directoryName, [4] EXPLICIT. */
export const DIRECTORY_NAME_TAG = 0xa4;

/**
 * Reads the subject alternative names of a certificate.
 *
 * @param extension the `Extension` element, or undefined where the certificate has none
 * @throws {CertificateError} when a name is malformed
 */
export function parseSubjectAlternativeNames(extension: DerElement | undefined): {
  names: SubjectAlternativeNames;
  further: OtherNames;
} {
  const names = { dns: [] as string[], uri: [] as string[], ip: [] as string[], email: [] as string[] };
  const directory: DistinguishedName[] = [];
  const otherForms = new Set<number>();
  let hasUtf8Mailbox = false;
  for (const name of extension ? generalNames(extension) : []) {
    const kind = kindByTag[name.tag];
    if (kind !== undefined) names[kind].push(decodeAlternativeName(kind, name.content));
    else if (name.tag === DIRECTORY_NAME_TAG) directory.push(decodeDirectoryName(name));
    else {
      otherForms.add(name.tag);
      hasUtf8Mailbox ||= isUtf8Mailbox(name);
    }
  }
  return { names, further: { directory, otherForms, hasUtf8Mailbox } };
}

/** OtherName is SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT }, [0] IMPLICIT. */
function isUtf8Mailbox({ tag, children: [type] }: DerElement): boolean {
  return (
    tag === 0xa0 && type?.tag === Tag.objectIdentifier && parseObjectIdentifier(type.content) === SMTP_UTF8_MAILBOX
  );
}

const SMTP_UTF8_MAILBOX = '1.3.6.1.5.5.7.8.9';

/** One name of a certificate, in the form in which it is compared. */
function decodeAlternativeName(kind: AlternativeNameKind, content: Uint8Array): string {
  return comparisonForm[kind](kind === 'ip' ? decodeIpAddress(content) : decodeIa5String(content, kind));
}

/** @throws {CertificateError} when it is malformed */
export function decodeDirectoryName({ children: [name, ...more] }: DerElement): DistinguishedName {
  if (!name || more.length > 0) throw new CertificateError('has a directoryName that is malformed');
  return decodeDistinguishedName(name);
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
  const { tag, children } = parseExtensionValue(extension);
  const wellFormed = tag === Tag.sequence && children.every((name) => generalNameTags.has(name.tag));
  if (!wellFormed || children.length === 0) throw new CertificateError('its subject alternative names are malformed');
  return children;
}

const generalNameTags: ReadonlySet<number> = new Set([0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]);

export function decodeIa5String(octets: Uint8Array, kind: AlternativeNameKind): string {
  if (octets.some((octet) => octet < 0x20 || octet > 0x7e)) {
    throw new CertificateError(`has a subject alternative name (${kind}) with a control or non-ASCII character`);
  }
  return Buffer.from(octets).toString('latin1');
}

function decodeIpAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) throw new CertificateError(`has an IP address of ${octets.length} octets`);
  return Buffer.from(octets)
    .toString('hex')
    .replace(/(.{4})(?!$)/g, '$1:');
}
