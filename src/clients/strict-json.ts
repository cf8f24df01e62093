import { explainJsonProblem } from './json-problem.ts';
import { type JsonToken, jsonTokens } from './json-tokens.ts';
import { lossyNumber } from './lossy-number.ts';
import { LineIndex, type Position } from './position.ts';

/**
 * Parses JSON, and rejects values that JSON.parse would silently change: duplicate keys, of which it keeps the last, and
 * numbers that it cannot represent.
 *
 * @throws {ParseError}
 */
export function parseJson(text: string): unknown {
  const value = parseAny(text);
  const loss = findDataLoss(text, value);
  if (loss) throw loss;
  return value;
}

/** A text is invalid, or its value would change when parsed. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  readonly position: Position;

  /** @param message without the position */
  constructor(position: Position, message: string) {
    super(message);
    this.position = position;
  }
}

/**
 * Finds what JSON.parse changed: a duplicate key, otherwise the first number with another value.
 *
 * @param value the result of JSON.parse
 */
export function findDataLoss(text: string, value: unknown): ParseError | undefined {
  // Most programs write what JSON.stringify does. Such a text has lost nothing.
  if (JSON.stringify(value) === text) return undefined;
  let lossy: ParseError | undefined;
  let previous: JsonToken = { text: '', offset: 0 };
  /** For each value that is open, the keys of the object so far, or undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  for (const token of jsonTokens(text)) {
    if (token.text === '{') open.push(new Set());
    else if (token.text === '[') open.push(undefined);
    else if (token.text === '}' || token.text === ']') open.pop();
    else if (token.text === ':') {
      const key = decodeKey(previous.text);
      if (open.at(-1)?.has(key)) return duplicateKey(text, previous.offset, key);
      open.at(-1)?.add(key);
    } else if (NUMBER_START.includes(token.text.charAt(0))) lossy ??= lossyNumberError(text, token);
    previous = token;
  }
  return lossy;
}

const NUMBER_START = '-0123456789';

/** @param source in its quotation marks */
function decodeKey(source: string): string {
  return source.includes('\\') ? String(JSON.parse(source)) : source.slice(1, -1);
}

function duplicateKey(text: string, offset: number, key: string): ParseError {
  return errorAt(text, offset, `duplicate key ${JSON.stringify(key)}`);
}

function lossyNumberError(text: string, { text: source, offset }: JsonToken): ParseError | undefined {
  const message = lossyNumber(source, Number(source));
  return message === undefined ? undefined : errorAt(text, offset, message);
}

function parseAny(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? locate(text, error) : error;
  }
}

/** The error of JSON.parse on one line, with its position. */
function locate(text: string, { message }: SyntaxError): ParseError {
  const stated = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message);
  // For an unexpected token, V8 quotes the text around it, possibly several lines, instead of the position.
  const token = /^(Unexpected token '.+?'), /su.exec(message);
  const offset = stated ? Number(stated[1]) : (offsetOfUnexpectedToken(text) ?? text.length);
  const problem = token?.[1] ?? message.slice(0, stated?.index).replace(/ in JSON$/, '');
  return errorAt(text, offset, `invalid JSON: ${explainJsonProblem(text, offset, problem)}`);
}

/** Where a value is expected and none starts. For all other syntax errors V8 states the position. */
function offsetOfUnexpectedToken(text: string): number | undefined {
  let previous = '';
  for (const token of jsonTokens(text)) {
    const isEmptyArray = previous === '[' && token.text === ']';
    const expectsValue = ['', '[', ',', ':'].includes(previous) && !isEmptyArray;
    if (expectsValue && !/^["[{\d-]/.test(token.text) && !LITERALS.includes(token.text))
      return token.offset + literalPrefixLength(token.text);
    previous = token.text;
  }
  return undefined;
}

const LITERALS = ['true', 'false', 'null'];

function literalPrefixLength(word: string): number {
  const literal = LITERALS.find((each) => each[0] === word[0]) ?? '';
  let length = 0;
  while (length < literal.length && literal[length] === word[length]) length += 1;
  return length;
}

function errorAt(text: string, offset: number, message: string): ParseError {
  return new ParseError(new LineIndex(text).positionAt(offset), message);
}
