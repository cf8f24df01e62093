import type { Attribute, RelativeDistinguishedName } from './distinguished-name.ts';
import { type Cursor, scanType, skipSpaces, typeStandsAt, unreadable } from './distinguished-name-scanner.ts';

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
    rdn.push({ type, value: { kind: 'text', text: scanValue(cursor) } });
    if (!cursor.text.startsWith(NEXT_VALUE, cursor.at)) return rdn;
    cursor.at += NEXT_VALUE.length;
  }
}

function scanValue(cursor: Cursor): string {
  const start = cursor.at;
  let value = '';
  while (!valueEnds(cursor)) {
    const character = cursor.text[cursor.at] ?? '';
    if (',;'.includes(character)) refuseCommaForm(cursor);
    if (character === '\\' && cursor.text[cursor.at + 1] !== '\\') {
      throw unreadable('an escape that this form does not settle; print the name with -nameopt RFC2253', cursor.at);
    }
    value += character;
    cursor.at += character === '\\' ? 2 : 1;
  }
  if (value === '') throw unreadable('an empty value', start);
  return value;
}

/** A name in a comma form that was broken over lines would be read as one long value. */
function refuseCommaForm({ text, at }: Cursor): void {
  const after = { text, at: at + 1 };
  skipSpaces(after);
  if (typeStandsAt(text, after.at, 'spaces')) {
    throw unreadable('several attributes in one of several lines; write the name on one line', at);
  }
}

function valueEnds({ text, at }: Cursor): boolean {
  if (at >= text.length || text[at] === '\n') return true;
  if (text[at] === '\r') return text[at + 1] === '\n';
  return text.startsWith(NEXT_VALUE, at) && typeStandsAt(text, at + NEXT_VALUE.length, 'spaces');
}
