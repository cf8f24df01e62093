/**
 * Parses JSON and refuses what JSON.parse would read as something else than was written: a name that stands twice in one
 * object, of which it takes the last, and a number that it cannot hold.
 *
 * @throws {ParseError} also where it is no JSON
 */
export function parseJson(text: string): unknown {
  const value = parseAny(text);
  const loss = findDataLoss(text, value);
  if (loss) throw loss;
  return value;
}

/**
 * What of a text JSON.parse has read as something else.
 *
 * @param value what JSON.parse has made of it
 */
export function findDataLoss(text: string, value: unknown): ParseError | undefined {
  // What programs write, mostly, comes out again as it went in: then nothing was lost.
  if (JSON.stringify(value) === text) return undefined;
  const { colons, altered } = scan(text);
  if (countMembers(value) === colons) return altered;
  return duplicateKey(text) ?? new ParseError(1, 'a name stands twice in one object');
}

function parseAny(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? notJson(text, error) : error;
  }
}

interface Scanned {
  /** Outside of strings, every colon belongs to one member. */
  readonly colons: number;
  /** The first number that is read as another one. */
  readonly altered: ParseError | undefined;
}

function scan(text: string): Scanned {
  let colons = 0;
  let isString = false;
  let altered: ParseError | undefined;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) isString = !isString;
    else if (code === BACKSLASH) index += 1;
    else if (isString) continue;
    else if (code === COLON) colons += 1;
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const source = numberAt(text, index);
      altered ??= lossOf(source, text, index);
      index += source.length - 1;
    }
  }
  return { colons, altered };
}

const [QUOTE, BACKSLASH, COLON, MINUS, ZERO, NINE] = [0x22, 0x5c, 0x3a, 0x2d, 0x30, 0x39];

const NUMBER = /-?[\d.eE+-]+/y;

/** @param text has been parsed, so that a number is a whole one wherever one begins */
function numberAt(text: string, index: number): string {
  NUMBER.lastIndex = index;
  return NUMBER.exec(text)?.[0] ?? '-';
}

function lossOf(source: string, text: string, index: number): ParseError | undefined {
  const message = lossyNumber(source, Number(source));
  return message === undefined ? undefined : new ParseError(text.slice(0, index).split('\n').length, message);
}

/** Without recursion: what was parsed may be nested more deeply than a stack. */
function countMembers(root: unknown): number {
  let count = 0;
  const open = typeof root === 'object' ? [root] : [];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const isList = Array.isArray(value);
    // `null` alone has no members and is an object, too.
    for (const member of Object.values(value ?? {})) {
      if (!isList) count += 1;
      if (typeof member === 'object' && member !== null) open.push(member);
    }
  }
  return count;
}

/** What JSON.parse says of a text that is none, in one line and with the place. */
export function notJson(text: string, error: SyntaxError): ParseError {
  const { message } = error;
  const told = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message);
  // Of an unexpected token it does not say where, but shows what stands around it, which may go over lines.
  const token = /^(Unexpected token '.+?'), /su.exec(message);
  const at = told ? Number(told[1]) : (placeOfUnexpected(text) ?? text.length);
  const what = token?.[1] ?? message.slice(0, told?.index).replace(/ in JSON$/, '');
  return placed(text, at, (column) => `not JSON: ${what} at column ${column}`);
}

/** Which name stands twice in one object of a text that is JSON; undefined where none does. */
export function duplicateKey(text: string): ParseError | undefined {
  const open: Set<string>[] = [];
  let last = { text: '', at: 0 };
  for (const token of jsonTokens(text)) {
    if (token.text === '{' || token.text === '[') open.push(new Set());
    else if (token.text === '}' || token.text === ']') open.pop();
    else if (token.text === ':') {
      const name = String(JSON.parse(last.text));
      if (open.at(-1)?.has(name)) return twice(text, last.at, name);
      open.at(-1)?.add(name);
    }
    last = token;
  }
  return undefined;
}

function twice(text: string, at: number, name: string): ParseError {
  return placed(
    text,
    at,
    (column) => `the name ${JSON.stringify(name)} stands twice in one object, at column ${column}`,
  );
}

function placed(text: string, at: number, messageFor: (column: number) => string): ParseError {
  const lines = text.slice(0, at).split('\n');
  return new ParseError(lines.length, messageFor((lines.at(-1) ?? '').length + 1));
}

/** Where a value should begin and none does: everything else that is wrong is told with its place. */
function placeOfUnexpected(text: string): number | undefined {
  let before = '';
  for (const token of jsonTokens(text)) {
    const isEmptyList = before === '[' && token.text === ']';
    const wantsValue = ['', '[', ',', ':'].includes(before) && !isEmptyList;
    if (wantsValue && /^[\]},:]/.test(token.text)) return token.at;
    if (wantsValue && !/^["[{\d-]/.test(token.text)) {
      const length = literalLength(token.text);
      if (length < token.text.length) return token.at + length;
    }
    before = token.text;
  }
  return undefined;
}

/** How much of a word is the beginning of one that JSON has. */
function literalLength(word: string): number {
  const literal = ['true', 'false', 'null'].find((each) => each[0] === word[0]) ?? '';
  let length = 0;
  while (length < literal.length && literal[length] === word[length]) length += 1;
  return length;
}

const TOLD_CHARACTERS = 40;

/**
 * In words, that a number is read as another one than was written: a whole one beyond 2^53, or one that is too large.
 * A fraction is rounded as everywhere, and is not meant.
 *
 * @param source as it was written
 * @returns undefined where it is the same
 */
export function lossyNumber(source: string, value: number): string | undefined {
  return isAltered(source, value) ? `${readAs(source, value)}; put it in quotes` : undefined;
}

/** As JSON writes a number; without an exponent, with no zero at the end of its fraction. */
const USUAL = /^-?(?:0|[1-9]\d*)(?:(?:\.\d*[1-9])?|(?:\.\d+)?[eE][-+]?\d+)$/;

/**
 * The same of a number of YAML, and that it loses how it was written. Whoever writes 012 or 1.10 mostly means a text, and
 * 012 is ten to YAML 1.1.
 */
export function lossyYamlNumber(source: string, value: number): string | undefined {
  if (isAltered(source, value) || !Number.isFinite(value)) return `${readAs(source, value)}; put it in quotes`;
  return USUAL.test(source) ? undefined : `${readAs(source, value)}; write that, or put it in quotes`;
}

function readAs(source: string, value: number): string {
  const told = source.length > TOLD_CHARACTERS ? `${source.slice(0, TOLD_CHARACTERS)}…` : source;
  return `the number ${told} would be read as ${value}`;
}

function isAltered(source: string, value: number): boolean {
  const written = decimal(source);
  if (written === undefined) return Number.isInteger(value) && !Number.isSafeInteger(value);
  // What is read as a whole number has to be that very one.
  return (Number.isInteger(value) || !Number.isFinite(value)) && written !== decimal(String(value));
}

/** A decimal number in one way of the many to write it; undefined for others. */
function decimal(text: string): string | undefined {
  const parts = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(text);
  if (!parts) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  if (end === 0) return '0';
  const power = Number(exponent) - fraction.length + (digits.length - end);
  return `${sign === '-' ? '-' : ''}${digits.slice(0, end)}e${power}`;
}

/** A string, one of `[]{},:`, or what stands between those, which in JSON is a number or a literal. */
export interface JsonToken {
  readonly text: string;
  /** Where it begins: an index of the text. */
  readonly at: number;
}

/** The tokens of a text that need not be JSON: what is none is part of one. Each character is looked at once. */
export function* jsonTokens(text: string): Generator<JsonToken> {
  const begin = /[^ \t\r\n]/g;
  for (let found = begin.exec(text); found; found = begin.exec(text)) {
    const end = endOfToken(text, found.index);
    yield { text: text.slice(found.index, end), at: found.index };
    begin.lastIndex = end;
  }
}

const OTHER = /[^ \t\r\n[\]{},:"]+/y;

function endOfToken(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at + 1);
  OTHER.lastIndex = at;
  return OTHER.test(text) ? OTHER.lastIndex : at + 1;
}

function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at += text[at] === '\\' ? 2 : 1) if (text[at] === '"') return at + 1;
  return text.length;
}

/** A text is not what it is taken for, or would be read as something else than what its author wrote. */
export class ParseError extends Error {
  override readonly name = 'PlacedError';
  /** Of the text, counted from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
