import { isIP, SocketAddress } from 'node:net';
import { CertificateError } from './certificate-error.ts';
import { type DerElement, Tag } from './der-element.ts';
import { decodeDistinguishedName, type EncodedName } from './names/distinguished-name.ts';
import { parseObjectIdentifier } from './object-identifier.ts';
import { parseExtensionValue } from './structure.ts';

/** The types of subject alternative name by which a client can be registered (RFC 8705 §2.1.2). */
export type AlternativeNameKind = 'dns' | 'uri' | 'ip' | 'email';

/** The names of each type, normalized for comparison: see {@link normalizeAlternativeName}. */
export type SubjectAlternativeNames = Readonly<Record<AlternativeNameKind, readonly string[]>>;

/** Names that cannot identify a client but that name constraints can apply to (RFC 5280 §4.2.1.10). */
export interface OtherNames {
  readonly directory: readonly EncodedName[];
  /** The other forms that occur: otherName of each type, x400Address, ediPartyName, registeredID. */
  readonly otherForms: readonly NameForm[];
  /** Whether there is an email address with a non-ASCII local part (SmtpUTF8Mailbox, RFC 9598 §3). */
  readonly hasUtf8Mailbox: boolean;
  /** What is wrong with a name of a type that could identify a client. Such a name identifies none, and is ignored. */
  readonly malformed: ReadonlyMap<AlternativeNameKind, string>;
}

/** A form of GeneralName that cannot be compared. Each type of otherName is a form of its own (RFC 5280 §4.2.1.6). */
export interface NameForm {
  /** The tag of the GeneralName. */
  readonly tag: number;
  /** The type-id of an otherName. Undefined if it is malformed: the form can then be that of any otherName. */
  readonly type: string | undefined;
}

/** The GeneralName tags of names that can identify a client (RFC 5280 §4.2.1.6). */
export const kindByTag: Readonly<Record<number, AlternativeNameKind>> = {
  129: 'email',
  130: 'dns',
  134: 'uri',
  135: 'ip',
};

/** directoryName, [4] EXPLICIT. */
export const DIRECTORY_NAME_TAG = 0xa4;

/**
 * Parses the subject alternative names of a certificate. Those that cannot identify a client are carried along.
 *
 * @param extension the `Extension` element, or undefined if the certificate has none
 * @throws {CertificateError} when it is not a list of GeneralNames
 */
export function parseSubjectAlternativeNames(extension: DerElement | undefined): {
  names: SubjectAlternativeNames;
  otherNames: OtherNames;
  /** The well-formed URIs as they are in the certificate: a SPIFFE ID has only one spelling. */
  uris: readonly string[];
} {
  const names: Record<AlternativeNameKind, string[]> = { dns: [], uri: [], ip: [], email: [] };
  const uris: string[] = [];
  // Of most certificates, all names are of the usual forms.
  let malformed: Map<AlternativeNameKind, string> | undefined;
  const directory: EncodedName[] = [];
  let otherForms: Map<string, NameForm> | undefined;
  for (const name of extension ? generalNames(extension) : []) {
    const kind = kindByTag[name.tag];
    if (kind !== undefined) {
      const problem = alternativeNameProblem(kind, name.content);
      if (problem === undefined) names[kind].push(decodeAlternativeName(kind, name.content));
      else malformed = (malformed ?? new Map()).set(kind, problem);
      if (problem === undefined && kind === 'uri') uris.push(asciiText(name.content));
    } else if (name.tag === DIRECTORY_NAME_TAG) directory.push(decodeDirectoryName(name));
    else {
      const form = nameForm(name);
      otherForms = (otherForms ?? new Map()).set(`${form.tag} ${form.type}`, form);
    }
  }
  const forms = otherForms ? [...otherForms.values()] : NO_FORMS;
  const hasUtf8Mailbox = forms.some(({ type }) => type === SMTP_UTF8_MAILBOX);
  const hasOthers = directory.length > 0 || forms.length > 0 || malformed !== undefined;
  return {
    names: { dns: shared(names.dns), uri: shared(names.uri), ip: shared(names.ip), email: shared(names.email) },
    otherNames: hasOthers
      ? { directory, otherForms: forms, hasUtf8Mailbox, malformed: malformed ?? NONE_MALFORMED }
      : NO_OTHER_NAMES,
    uris,
  };
}

const NO_FORMS: readonly NameForm[] = [];
const NONE_MALFORMED: OtherNames['malformed'] = new Map();
const NO_OTHER_NAMES: OtherNames = {
  directory: [],
  otherForms: NO_FORMS,
  hasUtf8Mailbox: false,
  malformed: NONE_MALFORMED,
};
const NO_NAMES: readonly string[] = [];

/** Cached certificates share the empty lists: the garbage collector moves each object twice. */
function shared(names: readonly string[]): readonly string[] {
  return names.length === 0 ? NO_NAMES : names;
}

/** RFC 5280 §4.2.1.6: a SEQUENCE of GeneralNames, whose forms have the context tags 0 to 8. */
function generalNames(extension: DerElement): readonly DerElement[] {
  const { tag, children } = parseExtensionValue(extension);
  if (tag !== Tag.sequence) throw new CertificateError('has subject alternative names that are not a SEQUENCE');
  const unknown = children.find((name) => !generalNameTags.has(name.tag));
  if (!unknown) return children;
  throw new CertificateError(
    `has a subject alternative name of an unknown form, tag 0x${unknown.tag.toString(16)} (RFC 5280 §4.2.1.6)`,
  );
}

const generalNameTags: ReadonlySet<number> = new Set([0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]);

/** OtherName is SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT }, [0] IMPLICIT. */
export function nameForm({ tag, children }: DerElement): NameForm {
  const [type] = tag === OTHER_NAME_TAG ? children : [];
  return { tag, type: type?.tag === Tag.objectIdentifier ? parseObjectIdentifier(type) : undefined };
}

const OTHER_NAME_TAG = 0xa0;
const SMTP_UTF8_MAILBOX = '1.3.6.1.5.5.7.8.9';

/** Decodes one name and normalizes it for comparison. */
function decodeAlternativeName(kind: AlternativeNameKind, content: Uint8Array): string {
  return normalize[kind](kind === 'ip' ? decodeIpAddress(content) : asciiText(content));
}

function asciiText(content: Uint8Array): string {
  return Buffer.from(content).toString('latin1');
}

/**
 * Why the content of a GeneralName is not a name of this type: three of them are IA5Strings, of which a control character
 * is in no name. Undefined if it is one.
 */
export function alternativeNameProblem(kind: AlternativeNameKind, content: Uint8Array): string | undefined {
  if (kind === 'ip') {
    return content.length === 4 || content.length === 16 ? undefined : `an IP address of ${content.length} bytes`;
  }
  return content.every(isPrintable) ? undefined : `a ${kind} name with a control or non-ASCII character`;
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e;
}

function decodeIpAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/(.{4})(?!$)/g, '$1:');
}

/** @throws {CertificateError} when the name is malformed */
export function decodeDirectoryName({ children: [name, ...more] }: DerElement): EncodedName {
  if (!name || more.length > 0) throw new CertificateError('has a directoryName that is not one name');
  return decodeDistinguishedName(name);
}

/**
 * Normalizes a registered name, so that it can be compared with those of a certificate.
 *
 * - `dns`: case-insensitive (RFC 5280 §7.2); a trailing dot and a wildcard are rejected, since neither names one host.
 * - `uri`: scheme and host are case-insensitive (RFC 5280 §7.4); the rest is compared character by character, since a CA
 *   may issue `spiffe://example/a/../b` to a client that is not `spiffe://example/b`.
 * - `ip`: compared by its bytes (RFC 8705 §2.1.2, RFC 5952 §8).
 * - `email`: the domain is case-insensitive, the local part is not (RFC 5280 §7.5).
 *
 * @throws {CertificateError} stating what is wrong with the registered text
 */
export function normalizeAlternativeName(kind: AlternativeNameKind, text: string): string {
  requireSyntax[kind](text);
  return normalize[kind](text);
}

const lowerCase = (text: string) => text.toLowerCase();

/** The scheme, `//` with any user name, whose case matters, and the host with any port (RFC 3986 §3). */
const SCHEME_AND_HOST = /^([^:/?#]*:)(?:(\/\/(?:[^/?#]*@)?)([^/?#]*))?/;

const normalize: Readonly<Record<AlternativeNameKind, (text: string) => string>> = {
  dns: lowerCase,
  uri: (text) =>
    text.replace(SCHEME_AND_HOST, (_, scheme, user = '', host = '') => lowerCase(scheme) + user + lowerCase(host)),
  ip: (text) => new SocketAddress({ address: text, family: isIP(text) === 6 ? 'ipv6' : 'ipv4' }).address,
  email: (text) => {
    const at = text.lastIndexOf('@');
    return text.slice(0, at) + lowerCase(text.slice(at));
  },
};

const requireSyntax: Readonly<Record<AlternativeNameKind, (text: string) => void>> = {
  dns: requirePattern(/^(?!.*\.$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})$/, 'a DNS name such as client.example.com'),
  uri: requirePattern(/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/, 'a URI such as spiffe://example.com/client'),
  ip: (text) => {
    if (isIP(text) === 0 || text.includes('%'))
      throw new CertificateError('expected an IP address such as 192.0.2.7 or 2001:db8::7');
  },
  email: requirePattern(
    /^[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9.-]{1,255}$/,
    'an email address such as client@example.com',
  ),
};

function requirePattern(pattern: RegExp, expected: string): (text: string) => void {
  return (text) => {
    if (!pattern.test(text)) throw new CertificateError(`expected ${expected}`);
  };
}
