import { CertificateError } from '../certificate-error.ts';
import { hierarchyRank } from './attribute-types.ts';
import { type Cursor, skipSpaces } from './cursor.ts';
import {
  canonicalName,
  formatDistinguishedName,
  type MatchableName,
  type RelativeDistinguishedName,
} from './distinguished-name.ts';
import { scanCommaForm } from './parse-comma-form.ts';
import { scanLineForm, scanSlashForm } from './parse-openssl-forms.ts';

type Rdns = readonly RelativeDistinguishedName[];

/**
 * The subject of every certificate that is accepted fits: it has at most 16 KiB, and RFC 4514 at most quadruples it (a
 * TeletexString under an unknown type in hex).
 */
const MAX_BYTES = 65_536;
const BLANK_LINES = /^\s*\n/;
/** `openssl x509 -noout -subject` and `-text` print this before the name. */
const PREFIX = /^ *subject[=:] */i;

/**
 * Parses a subject DN in any notation that is allowed in `tls_client_auth_subject_dn`. See docs/subject-dn.md.
 *
 * | notation | direction |
 * | --- | --- |
 * | `CN=x,OU=y,O=z` (RFC 4514), with or without `subject=` | most specific first |
 * | `O = z, OU = y, CN = x` (OpenSSL to 3.1), `/O=z/OU=y/CN=x`, OpenSSL's indented lines | as in the DER |
 * | `subject=O=z, OU=y, CN=x` (OpenSSL from 3.2, with the prefix) | as in the DER |
 * | `O=z, OU=y, CN=x` (OpenSSL, or .NET, Java, Windows) | by the usual hierarchy of the types, or rejected |
 * | one RDN per line, not indented (Windows) | by the usual hierarchy of the types, or rejected |
 *
 * With notation `dotnet`, only the format of .NET's X500DistinguishedName is accepted: most specific first, with doubled
 * quotation marks within quotes.
 *
 * @throws {CertificateError} naming the position and the fix
 */
export function parseDistinguishedName(text: string, notation?: 'dotnet'): MatchableName {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new CertificateError(`the subject DN is longer than ${MAX_BYTES} bytes`);
  }
  const rdns = notation === 'dotnet' ? parseDotnet(text) : parseAnyNotation(text);
  return { rdns, canonical: canonicalName(rdns) };
}

function parseAnyNotation(text: string): Rdns {
  const cursor = { text: withoutTrailingBlankLines(text), at: 0 };
  skip(cursor, BLANK_LINES);
  const hasPrefix = skip(cursor, PREFIX);
  const isMultiline = cursor.text.includes('\n', cursor.at);
  skip(cursor, BLANK_LINES);
  if (isMultiline) return parseLineForm(cursor, hasPrefix);
  skipSpaces(cursor);
  if (cursor.at === cursor.text.length) throw new CertificateError('the subject DN is empty');
  return cursor.text[cursor.at] === '/' ? scanSlashForm(cursor) : parseCommaForm(cursor, hasPrefix);
}

/** Without spaces it is RFC 4514, even after `subject=`: `-nameopt RFC2253` prints the prefix as well. */
function parseCommaForm(cursor: Cursor, hasPrefix: boolean): Rdns {
  const { rdns, equals, commas } = scanCommaForm(cursor, 'backslash');
  if (rdns.length === 1) return rdns;
  if (equals === 'mixed' || commas === 'mixed') {
    throw ambiguousDirection('it has spaces at some "=" or commas but not at others', rdns);
  }
  if (equals === 'tight' && commas === 'tight') return rdns.toReversed();
  if (commas === 'spaced' && (equals === 'spaced' || hasPrefix)) return rdns;
  return inDirectionOfHierarchy(rdns);
}

/** OpenSSL indents the lines and starts with the most general RDN; Windows does neither. */
function parseLineForm(cursor: Cursor, hasPrefix: boolean): Rdns {
  const lines = cursor.text.slice(cursor.at).split('\n');
  const rdns = scanLineForm(cursor);
  const isIndented = lines.every((line) => line.startsWith(' '));
  return hasPrefix || isIndented || rdns.length === 1 ? rdns : inDirectionOfHierarchy(rdns);
}

function parseDotnet(text: string): Rdns {
  const { rdns, equals, commas } = scanCommaForm({ text, at: 0 }, 'doubled');
  if (equals !== 'tight' || (commas !== 'spaced' && commas !== 'none')) {
    throw new CertificateError(
      `the subject DN is not in .NET's format: expected no spaces around "=" and one after each comma`,
    );
  }
  return rdns.toReversed();
}

/** For notations that different tools write in opposite directions. */
function inDirectionOfHierarchy(rdns: Rdns): Rdns {
  const ranks = rdns.map(rankOf);
  const [first, last] = [ranks[0], ranks.at(-1)];
  if (first !== undefined && last !== undefined) {
    if (first < last && isAscending(ranks)) return rdns;
    if (first > last && isAscending(ranks.toReversed())) return rdns.toReversed();
  }
  throw ambiguousDirection('it can start with its most general or its most specific part', rdns);
}

function rankOf(rdn: RelativeDistinguishedName): number | undefined {
  const ranks = rdn.map(({ type }) => hierarchyRank(type)).filter((rank) => rank !== undefined);
  return ranks.length === rdn.length ? Math.max(...ranks) : undefined;
}

function isAscending(ranks: readonly (number | undefined)[]): boolean {
  const known = ranks.filter((rank) => rank !== undefined);
  return known.every((rank, index) => rank >= (known[index - 1] ?? rank));
}

function ambiguousDirection(reason: string, rdns: Rdns): CertificateError {
  const specificFirst = formatDistinguishedName({ rdns: rdns.toReversed() });
  const generalFirst = formatDistinguishedName({ rdns });
  return new CertificateError(
    `the direction of the subject DN is ambiguous: ${reason}. Write it in RFC 4514, without spaces after the commas: ` +
      `${generalFirst} if your text starts with the most general part, as OpenSSL prints it; ` +
      `${specificFirst} if it starts with the most specific part, as .NET, Java and Windows print it`,
  );
}

function skip(cursor: Cursor, pattern: RegExp): boolean {
  const length = pattern.exec(cursor.text.slice(cursor.at))?.[0].length ?? 0;
  cursor.at += length;
  return length > 0;
}

/** Pasted text often ends in a line feed. A trailing space is kept, since it can be escaped. */
function withoutTrailingBlankLines(text: string): string {
  let end = text.length;
  while (end > 0) {
    const feed = text.lastIndexOf('\n', end - 1);
    if (feed === -1 || text.slice(feed, end).trim() !== '') break;
    end = feed;
  }
  return text.slice(0, text[end - 1] === '\r' ? end - 1 : end);
}
