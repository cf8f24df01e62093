import { CertificateError } from '../certificate-error.ts';
import { attributeTypeOid } from './attribute-types.ts';
import { decodeUtf8 } from './attribute-values.ts';

/** A position in a text that only moves forward, shared by the scanners of all notations. They run in linear time. */
export interface Cursor {
  readonly text: string;
  at: number;
}

/** An error that names the position, counted from 1. */
export function syntaxError(problem: string, at: number): CertificateError {
  return new CertificateError(`invalid subject DN at character ${at + 1}: ${problem}`);
}

/** Moves past spaces and returns whether there were any. */
export function skipSpaces(cursor: Cursor): boolean {
  const start = cursor.at;
  while (cursor.text[cursor.at] === ' ') cursor.at++;
  return cursor.at > start;
}

const MAX_QUOTED = 64;

/**
 * Moves past `type`, `=` and the spaces around it. The returned type is an OID.
 *
 * @param fix for a separator that belongs to the value before it
 */
export function scanType(
  cursor: Cursor,
  fix = 'escape a separator that belongs to a value with a backslash',
): { type: string; spaceBefore: boolean; spaceAfter: boolean } {
  const start = cursor.at;
  skipName(cursor);
  const name = cursor.text.slice(start, cursor.at);
  const spaceBefore = skipSpaces(cursor);
  if (name === '' || cursor.text[cursor.at] !== '=') {
    throw syntaxError(`expected "type="; ${fix}`, start);
  }
  const type = attributeTypeOid(name);
  if (type === undefined) {
    const quoted = name.slice(0, MAX_QUOTED);
    throw syntaxError(`"${quoted}" is not a known attribute type; write its OID instead, as in 2.5.4.3=…`, start);
  }
  cursor.at++;
  return { type, spaceBefore, spaceAfter: skipSpaces(cursor) };
}

/** Whether `type=` with any name is at this position, with spaces before the `=` if the notation allows them. */
export function hasTypeAt(text: string, at: number, spaces: 'spaces' | 'no spaces'): boolean {
  const lookahead = { text, at };
  skipName(lookahead);
  if (lookahead.at === at) return false;
  if (spaces === 'spaces') skipSpaces(lookahead);
  return text[lookahead.at] === '=';
}

/** Moves past a run of hex pairs, each after `introducer`, and decodes it as UTF-8; '' if there is none. */
export function scanHexPairs(cursor: Cursor, introducer: '\\' | '\\x'): string {
  const start = cursor.at;
  const bytes: number[] = [];
  while (cursor.text.startsWith(introducer, cursor.at)) {
    const digits = cursor.text.slice(cursor.at + introducer.length, cursor.at + introducer.length + 2);
    if (!/^[0-9a-f]{2}$/i.test(digits)) break;
    bytes.push(Number.parseInt(digits, 16));
    cursor.at += introducer.length + 2;
  }
  const text = decodeUtf8(Uint8Array.from(bytes));
  if (text === undefined) throw syntaxError('these hex pairs are not valid UTF-8', start);
  return text;
}

/** RFC 4512 §1.4: a descriptor or a numericoid. */
function skipName(cursor: Cursor): void {
  while (/^[0-9a-z.-]$/i.test(cursor.text[cursor.at] ?? '')) cursor.at++;
}
