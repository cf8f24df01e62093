import type { Json } from '../../clients/json-value.ts';
import { ParseError, parseJson } from '../../clients/strict-json.ts';
import { ImportError } from './draft.ts';

/** Deeper than any configuration; what reads the values further on may recurse over them. */
const MAX_DEPTH = 64;

/**
 * Reads JSON as .NET reads its configuration: with comments, commas before a closing bracket, and a byte order mark.
 * All that is no JSON becomes as many spaces, so that the places in messages are those of the file. What would be read as
 * something else than was written is refused: a name that stands twice in one object, and a number that is too large.
 *
 * @throws {ImportError}
 */
export function parseLenientJson(text: string): Json {
  const plain = withoutExtras(text.replace(/^\uFEFF/, ''));
  try {
    return parseJson(plain) as Json; // It makes nothing else.
  } catch (error) {
    if (error instanceof ParseError) throw new ImportError(`line ${error.line}: ${error.message}`);
    throw error;
  }
}

/** The same of a text within a file; undefined for what is not JSON. */
export function jsonIn(text: string): Json | undefined {
  try {
    return parseLenientJson(text);
  } catch (error) {
    if (error instanceof ImportError) return undefined;
    throw error;
  }
}

function withoutExtras(text: string): string {
  const pieces: string[] = [];
  /** The place of a comma that nothing has followed so far. */
  let comma: number | undefined;
  let depth = 0;
  for (const token of tokensOf(text)) {
    if (token === '[' || token === '{') depth += 1;
    if (depth > MAX_DEPTH) throw new ImportError(`nested deeper than ${MAX_DEPTH} levels`);
    const closes = token === ']' || token === '}';
    if (closes) depth -= 1;
    if (closes && comma !== undefined) pieces[comma] = ' ';
    const isComment = token.startsWith('//') || token.startsWith('/*');
    if (!isComment && token.trim() !== '') comma = token === ',' ? pieces.length : undefined;
    pieces.push(isComment ? token.replaceAll(/[^\n]/g, ' ') : token);
  }
  return pieces.join('');
}

/** Strings, comments, brackets and commas, and all between them. Each character is looked at once. */
function* tokensOf(text: string): Generator<string> {
  const between = /[^"/,[\]{}]+/y;
  for (let at = 0; at < text.length; ) {
    between.lastIndex = at;
    const end = between.test(text) ? between.lastIndex : endOfToken(text, at);
    yield text.slice(at, end);
    at = end;
  }
}

function endOfToken(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at + 1);
  if (text.startsWith('//', at)) return endAfter(text, text.indexOf('\n', at), 0);
  if (text.startsWith('/*', at)) return endAfter(text, text.indexOf('*/', at + 2), 2);
  return at + 1;
}

function endAfter(text: string, found: number, length: number): number {
  return found === -1 ? text.length : found + length;
}

function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at += text[at] === '\\' ? 2 : 1) if (text[at] === '"') return at + 1;
  return text.length;
}
