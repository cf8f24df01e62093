import { CertificateError } from '../certificate-error.ts';
import { attributeTypeOid, decodeUtf8 } from './attributes.ts';

/** What the scanners of the spellings share: a place in a text, which only moves on. All of them take linear time. */
export interface Cursor {
  readonly text: string;
  at: number;
}

const MAX_QUOTED = 64;

/** An error that names the place, counted from 1. */
export function syntaxError(what: string, at: number): CertificateError {
  return new CertificateError(`the subject DN can't be read at character ${at + 1}: ${what}`);
}

/** Moves over spaces and says whether there were any. */
export function skipSpaces(cursor: Cursor): boolean {
  const start = cursor.at;
  while (cursor.text[cursor.at] === ' ') cursor.at++;
  return cursor.at > start;
}

/** Moves over `type`, `=` and the spaces around it. The type comes back as its OID. */
export function scanType(cursor: Cursor): { type: string; spaceBefore: boolean; spaceAfter: boolean } {
  const start = cursor.at;
  skipName(cursor);
  const name = cursor.text.slice(start, cursor.at);
  const spaceBefore = skipSpaces(cursor);
  if (name === '' || cursor.text[cursor.at] !== '=') {
    throw syntaxError('no "type=" stands here; a separator that belongs to a value is written with a backslash', start);
  }
  const type = attributeTypeOid(name);
  if (type === undefined) {
    const shown = name.slice(0, MAX_QUOTED);
    throw syntaxError(`"${shown}" is no attribute type that we know; write its OID instead, as in 2.5.4.3=…`, start);
  }
  cursor.at++;
  return { type, spaceBefore, spaceAfter: skipSpaces(cursor) };
}

/** Whether `type=`, of any name, stands at `at`, with spaces before the `=` where the spelling has them. */
export function hasTypeAt(text: string, at: number, spaces: 'spaces' | 'no spaces'): boolean {
  const ahead = { text, at };
  skipName(ahead);
  if (ahead.at === at) return false;
  if (spaces === 'spaces') skipSpaces(ahead);
  return text[ahead.at] === '=';
}

/** Moves over a run of hex pairs, each after `introducer`, and reads it as UTF-8; '' where there is none. */
export function scanHexPairs(cursor: Cursor, introducer: '\\' | '\\x'): string {
  const start = cursor.at;
  const octets: number[] = [];
  while (cursor.text.startsWith(introducer, cursor.at)) {
    const digits = cursor.text.slice(cursor.at + introducer.length, cursor.at + introducer.length + 2);
    if (!/^[0-9a-f]{2}$/i.test(digits)) break;
    octets.push(Number.parseInt(digits, 16));
    cursor.at += introducer.length + 2;
  }
  const text = decodeUtf8(Uint8Array.from(octets));
  if (text === undefined) throw syntaxError('these hex pairs are not the octets of UTF-8', start);
  return text;
}

/** RFC 4512 §1.4: a descriptor or a numericoid. */
function skipName(cursor: Cursor): void {
  while (/^[0-9a-z.-]$/i.test(cursor.text[cursor.at] ?? '')) cursor.at++;
}
