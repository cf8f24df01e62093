import { type JsonToken, jsonTokens } from '../../clients/json-tokens.ts';
import { type Json, MAX_DEPTH } from '../../clients/json-value.ts';
import { ParseError, parseJson } from '../../clients/strict-json.ts';
import { ImportError } from './draft.ts';

/** What becomes of a number that JavaScript writes otherwise, such as `1.50`. */
type Numbers = 'as value' | 'as written';

/**
 * Parses JSON as .NET reads its configuration: with comments, trailing commas, and a byte order mark. Duplicate keys and
 * numbers that would change their value are rejected.
 *
 * @param numbers `as written` makes a text of such a number: .NET's configuration consists of texts
 * @throws {ImportError} with the line and column in the file
 */
export function parseLenientJson(text: string, numbers: Numbers = 'as value'): Json {
  const strict = toStrictJson(text.replace(/^\uFEFF/, ''), numbers);
  try {
    return parseJson(strict) as Json; // JSON.parse returns nothing else.
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { line, column } = error.position;
    throw new ImportError(`line ${line}, column ${column}: ${error.message}`);
  }
}

/** Parses lenient JSON that a string of a file contains; undefined if it is invalid. */
export function jsonIn(text: string): Json | undefined {
  try {
    return parseLenientJson(text);
  } catch (error) {
    if (error instanceof ImportError) return undefined;
    throw error;
  }
}

/** Replaces comments and trailing commas with spaces, so that locations stay the same. */
function toStrictJson(text: string, numbers: Numbers): string {
  const pieces: string[] = [];
  let end = 0;
  let depth = 0;
  /** The index in `pieces` of a comma that only comments have followed so far. */
  let comma: number | undefined;
  for (const token of jsonTokens(text)) {
    pieces.push(text.slice(end, token.offset));
    end = token.offset + token.text.length;
    if (isComment(token)) {
      pieces.push(token.text.replaceAll(/[^\n]/g, ' '));
      continue;
    }
    depth += nestingChange(token);
    // The importers recurse over the result.
    if (depth > MAX_DEPTH) throw new ImportError(`nested deeper than ${MAX_DEPTH} levels`);
    if (nestingChange(token) < 0 && comma !== undefined) pieces[comma] = ' ';
    comma = token.text === ',' ? pieces.length : undefined;
    pieces.push(numbers === 'as written' && isRewritten(token) ? `"${token.text}"` : token.text);
  }
  return pieces.join('') + text.slice(end);
}

function isComment({ text }: JsonToken): boolean {
  return text.startsWith('//') || text.startsWith('/*');
}

/** RFC 8259 §6 */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;

function isRewritten({ text }: JsonToken): boolean {
  return NUMBER.test(text) && String(Number(text)) !== text;
}

function nestingChange({ text }: JsonToken): number {
  if (text === '[' || text === '{') return 1;
  return text === ']' || text === '}' ? -1 : 0;
}
