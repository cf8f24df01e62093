import { alteredNumber } from './altered-number.ts';
import { nameTwice, notJson } from './json-faults.ts';
import { PlacedError } from './placed-error.ts';

/**
 * Parses JSON and refuses what JSON.parse would read as something else than was written: a name that stands twice in one
 * object, of which it takes the last, and a number that it cannot hold.
 *
 * @throws {PlacedError} also where it is no JSON
 */
export function parseJson(text: string): unknown {
  const value = parseAny(text);
  const loss = lossIn(text, value);
  if (loss) throw loss;
  return value;
}

/**
 * What of a text JSON.parse has read as something else.
 *
 * @param value what JSON.parse has made of it
 */
export function lossIn(text: string, value: unknown): PlacedError | undefined {
  // What programs write, mostly, comes out again as it went in: then nothing was lost.
  if (JSON.stringify(value) === text) return undefined;
  const { colons, altered } = scan(text);
  if (countMembers(value) === colons) return altered;
  return nameTwice(text) ?? new PlacedError(1, 'a name stands twice in one object');
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
  readonly altered: PlacedError | undefined;
}

function scan(text: string): Scanned {
  let colons = 0;
  let isString = false;
  let altered: PlacedError | undefined;
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

function lossOf(source: string, text: string, index: number): PlacedError | undefined {
  const message = alteredNumber(source, Number(source));
  return message === undefined ? undefined : new PlacedError(text.slice(0, index).split('\n').length, message);
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
