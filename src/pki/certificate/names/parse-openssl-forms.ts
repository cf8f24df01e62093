import { type Cursor, hasTypeAt, scanHexPairs, scanType, skipSpaces, syntaxError } from './cursor.ts';
import type { Attribute, RelativeDistinguishedName } from './distinguished-name.ts';

/** Types that really are repeated: units within units, and the labels of a domain. */
const REPEATABLE: readonly string[] = ['2.5.4.11', '0.9.2342.19200300.100.1.25'];

/**
 * Scans OpenSSL's old form, `/O=company/CN=x` (`-nameopt compat`, nginx `$ssl_client_s_dn_legacy`), most general RDN
 * first. Older releases escape nothing in it, and none escapes a backslash, so a value can look like more of the name. What
 * can't be told apart is refused: a `/` or `+` with no `type=` after it, `\/` with one (it may be a value that ends in
 * a backslash), and a type other than OU and DC twice (`/CN=x/CN=admin` may be one value).
 *
 * @throws {CertificateError} naming the place
 */
export function scanSlashForm(cursor: Cursor): readonly RelativeDistinguishedName[] {
  const rdns: Attribute[][] = [];
  const seen = new Set<string>();
  while (cursor.at < cursor.text.length) {
    const start = cursor.at++;
    const { type } = scanType(cursor);
    if (seen.has(type) && !REPEATABLE.includes(type)) {
      throw syntaxError('a type for the second time, which may be part of a value; write the name in RFC 4514', start);
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
  const octets = scanHexPairs(cursor, '\\x');
  if (octets !== '') return octets;
  const escaped = cursor.text[cursor.at + 1];
  const known = escaped === '/' || escaped === '+';
  if (!known || hasTypeAt(cursor.text, cursor.at + 2, 'no spaces')) {
    throw syntaxError('a backslash that can be read in two ways here; write the name in RFC 4514', cursor.at);
  }
  cursor.at += 2;
  return escaped;
}

const NEXT_VALUE = ' + ';

/**
 * Scans one RDN a line, in the order in which they are written: `openssl … -nameopt multiline` (`commonName   = x`, and
 * ` + type = value` for more values of one RDN), and what the certificate dialogue of Windows copies (`CN = x`).
 * A backslash may stand for itself as `\\`, no other way: OpenSSL writes code points after it here, not octets.
 *
 * @throws {CertificateError} naming the place
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
  while (!valueEnds(cursor)) {
    const character = cursor.text[cursor.at] ?? '';
    if (',;'.includes(character)) refuseCommaForm(cursor);
    if (character === '\\' && cursor.text[cursor.at + 1] !== '\\') {
      throw syntaxError('an escape that this form does not settle; print the name with -nameopt RFC2253', cursor.at);
    }
    value += character;
    cursor.at += character === '\\' ? 2 : 1;
  }
  if (value === '') throw syntaxError('an empty value', start);
  return value;
}

/** A name in a comma form that was broken over lines would be read as one long value. */
function refuseCommaForm({ text, at }: Cursor): void {
  const after = { text, at: at + 1 };
  skipSpaces(after);
  if (hasTypeAt(text, after.at, 'spaces')) {
    throw syntaxError('several attributes in one of several lines; write the name on one line', at);
  }
}

function valueEnds({ text, at }: Cursor): boolean {
  if (at >= text.length || text[at] === '\n') return true;
  if (text[at] === '\r') return text[at + 1] === '\n';
  return text.startsWith(NEXT_VALUE, at) && hasTypeAt(text, at + NEXT_VALUE.length, 'spaces');
}
