import { FileContentError } from './file-content-error.ts';
import { countLineBreaks } from './lines.ts';

/**
 * Decodes base64 with its padding; white space is ignored (RFC 7468 §2).
 *
 * @param firstLine the line in which the text starts, for messages
 * @throws {FileContentError} with the line and the cause; it does not quote the text
 */
export function decodeBase64(text: string, firstLine: number): Uint8Array {
  const base64 = text.replace(/\s/g, '');
  const bytes = Buffer.from(base64, 'base64');
  if (base64 !== '' && bytes.toString('base64') === base64) return bytes;
  throw new FileContentError(problemOf(text, base64, firstLine));
}

function problemOf(text: string, base64: string, firstLine: number): string {
  if (base64 === '') return 'it is empty';
  if (/\\[nr]/.test(text)) return 'it has \\n in place of line breaks, as in JSON; convert it with printf %b';
  const header = /^[A-Za-z][A-Za-z-]*:/m.exec(text);
  const lineOf = ({ index }: RegExpExecArray) => `line ${firstLine + countLineBreaks(text.slice(0, index))}`;
  if (header) return `${lineOf(header)}: a header line is not allowed (RFC 7468 §2)`;
  const other = /[^A-Za-z0-9+/=\s]/u.exec(text);
  if (other) return `${lineOf(other)}: it contains ${describeCharacter(other[0])}`;
  return 'it is cut off, or lacks its padding (=)';
}

function describeCharacter(character: string): string {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return /[\x21-\x7e]/.test(character) ? `"${character}"` : code;
}
