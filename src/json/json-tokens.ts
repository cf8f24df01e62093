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
