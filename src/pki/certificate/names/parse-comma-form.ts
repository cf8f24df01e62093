import { CertificateError } from '../certificate-error.ts';
import { parseDer } from '../der.ts';
import { type AttributeValue, decodeAttributeValue } from './attribute-values.ts';
import { type Cursor, scanHexPairs, scanType, skipSpaces, syntaxError } from './cursor.ts';
import type { Attribute, RelativeDistinguishedName } from './distinguished-name.ts';

/** Whether there are spaces around the `=`, or after the commas, of one text; `none` if it has no commas. */
type Spacing = 'tight' | 'spaced' | 'mixed' | 'none';

/** A name on one line with commas, in the order of the text, and the spacing that identifies its notation. */
export interface CommaForm {
  readonly rdns: readonly RelativeDistinguishedName[];
  readonly equals: Spacing;
  readonly commas: Spacing;
}

/** How a value escapes a quotation mark: with a backslash (RFC 4514, OpenSSL, Java), or doubled within quotes (.NET). */
export type Quoting = 'backslash' | 'doubled';

/** How to write a character that has a meaning of its own, for errors. */
const fixes: Record<Quoting, { separator?: string; reserved: (character: string) => string; hash: string }> = {
  backslash: {
    reserved: (character) => `an unescaped ${character}; write \\${character}`,
    hash: 'write a literal "#" as \\#',
  },
  doubled: {
    separator: 'put a value with a separator in quotation marks',
    reserved: (character) =>
      `${character} outside quotation marks; put the value in quotation marks, and double those within it`,
    hash: 'put a value that begins with "#" in quotation marks',
  },
};

interface Separator {
  readonly character: string;
  readonly at: number;
  readonly spaced: boolean;
}

const SEPARATORS = ',;+';
const ESCAPABLE = '"+,;<>\\ #=';
const RESERVED = '"<>';

/**
 * Scans `type=value` pairs separated by commas, or by semicolons (RFC 2253 §4), with `+` within an RDN. This is the
 * union of all one-line notations; the caller determines the notation, and so the direction, from the spacing.
 *
 * @throws {CertificateError} naming the position
 */
export function scanCommaForm(cursor: Cursor, quoting: Quoting): CommaForm {
  const equals = new Set<Spacing>();
  const separators: Separator[] = [];
  let rdn: Attribute[] = [];
  const rdns = [rdn];
  skipSpaces(cursor);
  for (;;) {
    rdn.push(scanAttribute(cursor, quoting, equals));
    const separator = scanSeparator(cursor);
    if (!separator) break;
    if (separator.character === '+') continue;
    separators.push(separator);
    rdn = [];
    rdns.push(rdn);
  }
  rejectMixedSeparators(separators);
  const commas = new Set(separators.map(({ spaced }): Spacing => (spaced ? 'spaced' : 'tight')));
  return { rdns, equals: only(equals), commas: only(commas) };
}

function scanAttribute(cursor: Cursor, quoting: Quoting, equals: Set<Spacing>): Attribute {
  const start = cursor.at;
  const { type, spaceBefore, spaceAfter } = scanType(cursor, fixes[quoting].separator);
  if (spaceBefore !== spaceAfter) throw syntaxError('a space on only one side of "="; remove it', start);
  equals.add(spaceAfter ? 'spaced' : 'tight');
  return { type, value: scanValue(cursor, quoting) };
}

function scanValue(cursor: Cursor, quoting: Quoting): AttributeValue {
  const start = cursor.at;
  const first = cursor.text[start];
  if (first === '#') return scanHexValue(cursor, quoting);
  const text = first === '"' ? scanQuoted(cursor, quoting) : scanPlain(cursor, quoting);
  if (text === '') throw syntaxError('an empty value', start);
  return { kind: 'text', text };
}

/** RFC 4514 §2.4: `#` and the bytes of the value's encoding, in hex. */
function scanHexValue(cursor: Cursor, quoting: Quoting): AttributeValue {
  const start = cursor.at++;
  while (/^[0-9a-f]$/i.test(cursor.text[cursor.at] ?? '')) cursor.at++;
  const digits = cursor.text.slice(start + 1, cursor.at);
  if (digits === '' || digits.length % 2 !== 0) {
    throw syntaxError(`"#" without pairs of hex digits; ${fixes[quoting].hash}`, start);
  }
  try {
    return decodeAttributeValue(parseDer(Buffer.from(digits, 'hex')));
  } catch (error) {
    const reason = error instanceof CertificateError ? error.message : 'malformed';
    throw syntaxError(`the hex after "#" cannot be decoded: ${reason}`, start);
  }
}

function scanPlain(cursor: Cursor, quoting: Quoting): string {
  let value = '';
  let significant = 0;
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character === undefined || SEPARATORS.includes(character)) break;
    if (RESERVED.includes(character)) throw syntaxError(fixes[quoting].reserved(character), cursor.at);
    value += scanCharacter(cursor, quoting);
    if (character !== ' ') significant = value.length;
  }
  cursor.at -= value.length - significant; // unescaped trailing spaces belong to the separator
  return value.slice(0, significant);
}

function scanQuoted(cursor: Cursor, quoting: Quoting): string {
  const start = cursor.at++;
  let value = '';
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character === undefined) throw syntaxError('an unclosed quotation mark', start);
    if (character !== '"') value += scanCharacter(cursor, quoting);
    else {
      cursor.at++;
      if (quoting !== 'doubled' || cursor.text[cursor.at] !== '"') return value;
      value += '"';
      cursor.at++;
    }
  }
}

/** One character of a value, or the character that an escape stands for (RFC 4514 §3 `pair`). */
function scanCharacter(cursor: Cursor, quoting: Quoting): string {
  const character = cursor.text[cursor.at] ?? '';
  if (character !== '\\' || quoting === 'doubled') {
    cursor.at++;
    return character;
  }
  const decoded = scanHexPairs(cursor, '\\');
  if (decoded !== '') return decoded;
  const escaped = cursor.text[cursor.at + 1];
  if (escaped === undefined || !ESCAPABLE.includes(escaped)) {
    throw syntaxError('an invalid escape; write a literal backslash as \\\\', cursor.at);
  }
  cursor.at += 2;
  return escaped;
}

function scanSeparator(cursor: Cursor): Separator | undefined {
  const spaceBefore = skipSpaces(cursor);
  const at = cursor.at;
  const character = cursor.text[at];
  if (character === undefined) return undefined;
  if (!SEPARATORS.includes(character)) throw syntaxError('expected a comma after the value', at);
  cursor.at++;
  const spaced = skipSpaces(cursor);
  if (character === '+' ? spaceBefore !== spaced : spaceBefore) {
    throw syntaxError(`a space before "${character}"; escape it with a backslash if it belongs to the value`, at);
  }
  return { character, at, spaced };
}

function rejectMixedSeparators(separators: readonly Separator[]): void {
  const other = separators.find(({ character }) => character !== separators[0]?.character);
  if (other) throw syntaxError('both "," and ";" as separators; escape those in a value as \\, or \\;', other.at);
}

function only(spacings: ReadonlySet<Spacing>): Spacing {
  const [spacing = 'none', ...others] = spacings;
  return others.length > 0 ? 'mixed' : spacing;
}
