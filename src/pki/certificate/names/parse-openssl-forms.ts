import { type Cursor, hasTypeAt, scanHexPairs, scanType, skipSpaces, syntaxError } from './cursor.ts';
import type { Attribute, RelativeDistinguishedName } from './distinguished-name.ts';

/** Types that a name legitimately repeats: nested units, and the labels of a domain. */
const REPEATABLE: readonly string[] = ['2.5.4.11', '0.9.2342.19200300.100.1.25'];

/**
 * Scans OpenSSL's legacy format, `/O=company/CN=x` (`-nameopt compat`, nginx `$ssl_client_s_dn_legacy`), most general
 * RDN first. Older releases escape nothing, and no release escapes a backslash, so a value can look like further RDNs.
 * Ambiguous text is rejected: a `/` or `+` without `type=` after it, `\/` with one (the value may end in a backslash),
 * and a repeated type other than OU and DC (`/CN=x/CN=admin` may be one value).
 *
 * @throws {CertificateError} naming the position
 */
export function scanSlashForm(cursor: Cursor): readonly RelativeDistinguishedName[] {
  const rdns: Attribute[][] = [];
  const seen = new Set<string>();
  while (cursor.at < cursor.text.length) {
    const start = cursor.at++;
    const { type } = scanType(cursor);
    if (seen.has(type) && !REPEATABLE.includes(type)) {
      throw syntaxError('a repeated type, which may be part of a value; write the name in RFC 4514', start);
    }
    seen.add(type);
    const attribute: Attribute = { type, value: { kind: 'text', text: scanSlashValue(cursor) } };
    if (cursor.text[start] === '/') rdns.push([attribute]);
    else rdns.at(-1)?.push(attribute);
  }
  return rdns;
}

function scanSlashValue(cursor: Cursor): string {
  const start = cursor.at;
  let value = '';
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character === undefined || isSeparator(cursor, character)) break;
    value += character === '\\' ? scanEscape(cursor) : character;
    if (character !== '\\') cursor.at++;
  }
  if (value === '') throw syntaxError('an empty value', start);
  return value;
}

function isSeparator({ text, at }: Cursor, character: string): boolean {
  if (character !== '/' && character !== '+') return false;
  if (hasTypeAt(text, at + 1, 'no spaces')) return true;
  throw syntaxError(`"${character}" without "type=" after it; if it belongs to the value, write \\${character}`, at);
}

function scanEscape(cursor: Cursor): string {
  const decoded = scanHexPairs(cursor, '\\x');
  if (decoded !== '') return decoded;
  const escaped = cursor.text[cursor.at + 1];
  const isEscapable = escaped === '/' || escaped === '+';
  if (!isEscapable || hasTypeAt(cursor.text, cursor.at + 2, 'no spaces')) {
    throw syntaxError('an ambiguous backslash; write the name in RFC 4514', cursor.at);
  }
  cursor.at += 2;
  return escaped;
}

const NEXT_VALUE = ' + ';

/**
 * Scans one RDN per line, in the order of the text: `openssl … -nameopt multiline` (`commonName   = x`, with
 * ` + type = value` for further values of an RDN), and text copied from the certificate dialog of Windows (`CN = x`).
 * `\\` is the only accepted escape: in this format OpenSSL writes code points after a backslash, not bytes.
 *
 * @throws {CertificateError} naming the position
 */
export function scanLineForm(cursor: Cursor): readonly RelativeDistinguishedName[] {
  const rdns: RelativeDistinguishedName[] = [];
  while (cursor.at < cursor.text.length) {
    rdns.push(scanLine(cursor));
    if (cursor.text[cursor.at] === '\r') cursor.at++;
    cursor.at++;
  }
  return rdns;
}

function scanLine(cursor: Cursor): RelativeDistinguishedName {
  const rdn: Attribute[] = [];
  for (;;) {
    skipSpaces(cursor);
    const { type } = scanType(cursor);
    rdn.push({ type, value: { kind: 'text', text: scanLineValue(cursor) } });
    if (!cursor.text.startsWith(NEXT_VALUE, cursor.at)) return rdn;
    cursor.at += NEXT_VALUE.length;
  }
}

function scanLineValue(cursor: Cursor): string {
  const start = cursor.at;
  let value = '';
  while (!isAtEndOfValue(cursor)) {
    const character = cursor.text[cursor.at] ?? '';
    if (',;'.includes(character)) rejectCommaForm(cursor);
    if (character === '\\' && cursor.text[cursor.at + 1] !== '\\') {
      throw syntaxError('an escape that is ambiguous in this format; print the name with -nameopt RFC2253', cursor.at);
    }
    value += character;
    cursor.at += character === '\\' ? 2 : 1;
  }
  if (value === '') throw syntaxError('an empty value', start);
  return value;
}

/** A comma-separated name with line breaks would be parsed as one long value. */
function rejectCommaForm({ text, at }: Cursor): void {
  const lookahead = { text, at: at + 1 };
  skipSpaces(lookahead);
  if (hasTypeAt(text, lookahead.at, 'spaces')) {
    throw syntaxError('several attributes on one line of a multi-line name; write the whole name on one line', at);
  }
}

function isAtEndOfValue({ text, at }: Cursor): boolean {
  if (at >= text.length || text[at] === '\n') return true;
  if (text[at] === '\r') return text[at + 1] === '\n';
  return text.startsWith(NEXT_VALUE, at) && hasTypeAt(text, at + NEXT_VALUE.length, 'spaces');
}
