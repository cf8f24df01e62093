import { CertificateError } from '../certificate-error.ts';
import { hierarchyRank } from './attributes.ts';
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

const MAX_OCTETS = 8192;
const BLANK_LINES = /^\s*\n/;
/** What `openssl x509 -noout -subject`, and `-text`, put before the name. */
const PREFIX = /^ *subject[=:] */i;

/**
 * Reads a subject DN as an operator writes it into `tls_client_auth_subject_dn`. See docs/subject-dn.md.
 *
 * | written as | direction |
 * | --- | --- |
 * | `CN=x,OU=y,O=z` (RFC 4514), with or without `subject=` | most specific first |
 * | `O = z, OU = y, CN = x` (OpenSSL to 3.1), `/O=z/OU=y/CN=x`, OpenSSL's indented lines | as in the DER |
 * | `subject=O=z, OU=y, CN=x` (OpenSSL from 3.2, pasted whole) | as in the DER |
 * | `O=z, OU=y, CN=x` (OpenSSL, or .NET, Java, Windows) | by the usual hierarchy of the types, or refused |
 * | one RDN a line, not indented (Windows) | by the usual hierarchy of the types, or refused |
 *
 * With spelling `dotnet` it is what .NET's X500DistinguishedName prints, and nothing else: most specific first, and
 * within quotes a quotation mark doubled.
 *
 * @throws {CertificateError} naming the place and the mend
 */
export function parseDistinguishedName(text: string, spelling?: 'dotnet'): MatchableName {
  const octets = Buffer.byteLength(text);
  if (octets > MAX_OCTETS) throw new CertificateError(`the subject DN is longer than ${MAX_OCTETS} octets`);
  const rdns = spelling === 'dotnet' ? readDotnet(text) : readAnySpelling(text);
  return { rdns, canonical: canonicalName(rdns) };
}

function readAnySpelling(text: string): Rdns {
  const cursor = { text: withoutBlankLinesAtEnd(text), at: 0 };
  skip(cursor, BLANK_LINES);
  const prefixed = skip(cursor, PREFIX);
  const inLines = cursor.text.includes('\n', cursor.at);
  skip(cursor, BLANK_LINES);
  if (inLines) return readLineForm(cursor, prefixed);
  skipSpaces(cursor);
  if (cursor.at === cursor.text.length) throw new CertificateError('the subject DN is empty');
  return cursor.text[cursor.at] === '/' ? scanSlashForm(cursor) : readCommaForm(cursor, prefixed);
}

/** Commas without spaces are RFC 4514 also after `subject=`: `-nameopt RFC2253` prints that, and it prints the prefix. */
function readCommaForm(cursor: Cursor, prefixed: boolean): Rdns {
  const { rdns, equals, commas } = scanCommaForm(cursor, 'backslash');
  if (rdns.length === 1) return rdns;
  if (equals === 'mixed' || commas === 'mixed') {
    throw withoutDirection('there are spaces at some "=" or commas, and none at others', rdns);
  }
  if (equals === 'tight' && commas === 'tight') return rdns.toReversed();
  if (commas === 'spaced' && (equals === 'spaced' || prefixed)) return rdns;
  return inDirectionOfHierarchy(rdns);
}

/** OpenSSL indents the lines and starts with the most general; Windows does neither. */
function readLineForm(cursor: Cursor, prefixed: boolean): Rdns {
  const lines = cursor.text.slice(cursor.at).split('\n');
  const rdns = scanLineForm(cursor);
  const indented = lines.every((line) => line.startsWith(' '));
  return prefixed || indented || rdns.length === 1 ? rdns : inDirectionOfHierarchy(rdns);
}

function readDotnet(text: string): Rdns {
  const { rdns, equals, commas } = scanCommaForm({ text, at: 0 }, 'doubled');
  if (equals !== 'tight' || (commas !== 'spaced' && commas !== 'none')) {
    throw new CertificateError('the subject DN is not as .NET writes it: no spaces around "=", one after each comma');
  }
  return rdns.toReversed();
}

/** For the spellings that two kinds of writers share, in opposite directions. */
function inDirectionOfHierarchy(rdns: Rdns): Rdns {
  const ranks = rdns.map(rankOf);
  const [first, last] = [ranks[0], ranks.at(-1)];
  if (first !== undefined && last !== undefined) {
    if (first < last && isAscending(ranks)) return rdns;
    if (first > last && isAscending(ranks.toReversed())) return rdns.toReversed();
  }
  throw withoutDirection('it can be meant from the most general part on, or from the most specific', rdns);
}

function rankOf(rdn: RelativeDistinguishedName): number | undefined {
  const ranks = rdn.map(({ type }) => hierarchyRank(type)).filter((rank) => rank !== undefined);
  return ranks.length === rdn.length ? Math.max(...ranks) : undefined;
}

function isAscending(ranks: readonly (number | undefined)[]): boolean {
  const known = ranks.filter((rank) => rank !== undefined);
  return known.every((rank, index) => rank >= (known[index - 1] ?? rank));
}

function withoutDirection(why: string, rdns: Rdns): CertificateError {
  const specificFirst = formatDistinguishedName({ rdns: rdns.toReversed() });
  const generalFirst = formatDistinguishedName({ rdns });
  return new CertificateError(
    `the direction of the subject DN can't be told: ${why}. Write it in RFC 4514, without spaces after the commas: ` +
      `${generalFirst} if what you wrote begins with the most general part, as OpenSSL prints it; ` +
      `${specificFirst} if it begins with the most specific, as .NET, Java and Windows print it`,
  );
}

function skip(cursor: Cursor, pattern: RegExp): boolean {
  const length = pattern.exec(cursor.text.slice(cursor.at))?.[0].length ?? 0;
  cursor.at += length;
  return length > 0;
}

/** A pasted text often ends in a line feed. A space at the end stays: it can be an escaped one. */
function withoutBlankLinesAtEnd(text: string): string {
  let end = text.length;
  while (end > 0) {
    const feed = text.lastIndexOf('\n', end - 1);
    if (feed === -1 || text.slice(feed, end).trim() !== '') break;
    end = feed;
  }
  return text.slice(0, text[end - 1] === '\r' ? end - 1 : end);
}
