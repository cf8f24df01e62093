import { CertificateError } from '../certificate-error.ts';
import { parseDer } from '../der.ts';
import { type AttributeValue, decodeAttributeValue } from './attributes.ts';
import { type Cursor, scanHexPairs, scanType, skipSpaces, syntaxError } from './cursor.ts';
import type { Attribute, RelativeDistinguishedName } from './distinguished-name.ts';

/** How the `=`, or the commas, of one text are spaced; `none` when there are none. */
export type Spacing = 'tight' | 'spaced' | 'mixed' | 'none';

/** A name as it stands on one line with commas, in the order in which it is written, and what its spacing tells. */
export interface CommaForm {
  readonly rdns: readonly RelativeDistinguishedName[];
  readonly equals: Spacing;
  readonly commas: Spacing;
}

/** How a value holds a quotation mark: after a backslash (RFC 4514, OpenSSL, Java), or doubled within quotes (.NET). */
export type Quoting = 'backslash' | 'doubled';

interface Separator {
  readonly character: string;
  readonly at: number;
  readonly spaced: boolean;
}

const SEPARATORS = ',;+';
const ESCAPABLE = '"+,;<>\\ #=';
const RESERVED = '"<>';

/**
 * Scans `type=value` pairs between commas, or semicolons as RFC 2253 §4 has them, and `+` within an RDN. This is the
 * union of the spellings on one line; which of them it is, and so in which direction, the caller judges by the spacing.
 *
 * @throws {CertificateError} naming the place
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
  refuseTwoKinds(separators);
  const commas = new Set(separators.map(({ spaced }): Spacing => (spaced ? 'spaced' : 'tight')));
  return { rdns, equals: only(equals), commas: only(commas) };
}

function scanAttribute(cursor: Cursor, quoting: Quoting, equals: Set<Spacing>): Attribute {
  const start = cursor.at;
  const { type, spaceBefore, spaceAfter } = scanType(cursor);
  if (spaceBefore !== spaceAfter) throw syntaxError('a space on one side of "="; write none', start);
  equals.add(spaceAfter ? 'spaced' : 'tight');
  return { type, value: scanValue(cursor, quoting) };
}

function scanValue(cursor: Cursor, quoting: Quoting): AttributeValue {
  const start = cursor.at;
  const first = cursor.text[start];
  if (first === '#') return scanHexValue(cursor);
  const text = first === '"' ? scanQuoted(cursor, quoting) : scanPlain(cursor, quoting);
  if (text === '') throw syntaxError('an empty value', start);
  return { kind: 'text', text };
}

/** RFC 4514 §2.4: `#` and the octets of the value's encoding. */
function scanHexValue(cursor: Cursor): AttributeValue {
  const start = cursor.at++;
  while (/^[0-9a-f]$/i.test(cursor.text[cursor.at] ?? '')) cursor.at++;
  const digits = cursor.text.slice(start + 1, cursor.at);
  if (digits === '' || digits.length % 2 !== 0) {
    throw syntaxError('"#" without pairs of hex digits; a "#" that belongs to the value is written \\#', start);
  }
  try {
    return decodeAttributeValue(parseDer(Buffer.from(digits, 'hex')));
  } catch (error) {
    throw syntaxError(
      `the octets after "#" are ${error instanceof CertificateError ? error.message : 'unreadable'}`,
      start,
    );
  }
}

function scanPlain(cursor: Cursor, quoting: Quoting): string {
  let value = '';
  let significant = 0;
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character === undefined || SEPARATORS.includes(character)) break;
    if (RESERVED.includes(character)) throw syntaxError(`a bare ${character}; write \\${character}`, cursor.at);
    value += scanCharacter(cursor, quoting);
    if (character !== ' ') significant = value.length;
  }
  cursor.at -= value.length - significant; // spaces at the end stand for themselves, and belong to the separator
  return value.slice(0, significant);
}

function scanQuoted(cursor: Cursor, quoting: Quoting): string {
  const start = cursor.at++;
  let value = '';
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character === undefined) throw syntaxError('a quotation mark that nothing closes', start);
    if (character !== '"') value += scanCharacter(cursor, quoting);
    else {
      cursor.at++;
      if (quoting !== 'doubled' || cursor.text[cursor.at] !== '"') return value;
      value += '"';
      cursor.at++;
    }
  }
}

/** One character of a value, or what a backslash makes of those after it (RFC 4514 §3 `pair`). */
function scanCharacter(cursor: Cursor, quoting: Quoting): string {
  const character = cursor.text[cursor.at] ?? '';
  if (character !== '\\' || quoting === 'doubled') {
    cursor.at++;
    return character;
  }
  const octets = scanHexPairs(cursor, '\\');
  if (octets !== '') return octets;
  const escaped = cursor.text[cursor.at + 1];
  if (escaped === undefined || !ESCAPABLE.includes(escaped)) {
    throw syntaxError(
      'a backslash that escapes nothing; a backslash that belongs to the value is written \\\\',
      cursor.at,
    );
  }
  cursor.at += 2;
  return escaped;
}

function scanSeparator(cursor: Cursor): Separator | undefined {
  const spaceBefore = skipSpaces(cursor);
  const at = cursor.at;
  const character = cursor.text[at];
  if (character === undefined) return undefined;
  if (!SEPARATORS.includes(character)) throw syntaxError('a value ends here; a comma is missing', at);
  cursor.at++;
  const spaced = skipSpaces(cursor);
  if (character === '+' ? spaceBefore !== spaced : spaceBefore) {
    throw syntaxError(`a space before "${character}"; one that belongs to the value is written with a backslash`, at);
  }
  return { character, at, spaced };
}

function refuseTwoKinds(separators: readonly Separator[]): void {
  const other = separators.find(({ character }) => character !== separators[0]?.character);
  if (other)
    throw syntaxError('both "," and ";" separate; one that belongs to a value is written \\, or \\;', other.at);
}

function only(spacings: ReadonlySet<Spacing>): Spacing {
  const [spacing = 'none', ...others] = spacings;
  return others.length > 0 ? 'mixed' : spacing;
}
