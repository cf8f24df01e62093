import { jsonTokens } from './json-tokens.ts';
import { PlacedError } from './placed-error.ts';

/** What JSON.parse says of a text that is none, in one line and with the place. */
export function notJson(text: string, error: SyntaxError): PlacedError {
  const { message } = error;
  const told = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message);
  // Of an unexpected token it does not say where, but shows what stands around it, which may go over lines.
  const token = /^(Unexpected token '.+?'), /su.exec(message);
  const at = told ? Number(told[1]) : (placeOfUnexpected(text) ?? text.length);
  const what = token?.[1] ?? message.slice(0, told?.index).replace(/ in JSON$/, '');
  return placed(text, at, (column) => `not JSON: ${what} at column ${column}`);
}

/** Which name stands twice in one object of a text that is JSON; undefined where none does. */
export function nameTwice(text: string): PlacedError | undefined {
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

function twice(text: string, at: number, name: string): PlacedError {
  return placed(
    text,
    at,
    (column) => `the name ${JSON.stringify(name)} stands twice in one object, at column ${column}`,
  );
}

function placed(text: string, at: number, messageFor: (column: number) => string): PlacedError {
  const lines = text.slice(0, at).split('\n');
  return new PlacedError(lines.length, messageFor((lines.at(-1) ?? '').length + 1));
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
