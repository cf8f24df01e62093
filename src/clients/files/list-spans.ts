import { jsonTokens } from '../json-tokens.ts';

/** A part of a text. */
export interface Span {
  /** Index of its first character. */
  readonly offset: number;
  /** Index of the character after it. */
  readonly end: number;
}

/** The items of the lists at the top of a document, by the name of the list. */
export type ListSpans = ReadonlyMap<string, readonly Span[]>;

/** The name of the list that is a document by itself. */
export const ROOT_LIST = '';

/** Finds the items of the lists at the top of a JSON text. It does not recurse. @param text valid JSON */
export function jsonListSpans(text: string): ListSpans {
  const lists = new Map<string, Span[]>();
  let list: OpenList | undefined;
  let name = ROOT_LIST;
  let previous = '';
  /** How many brackets are open around the token. */
  let depth = 0;
  for (const { text: token, offset } of jsonTokens(text)) {
    if (token === '}' || token === ']') depth -= 1;
    if (list && (depth < list.depth || (depth === list.depth && token === ','))) {
      if (list.item) list.spans.push(list.item);
      list = depth < list.depth ? undefined : { ...list, item: undefined };
    } else if (list) {
      list.item = { offset: list.item?.offset ?? offset, end: offset + token.length };
    } else if (token === '[' && depth <= 1) {
      list = { depth: depth + 1, spans: [], item: undefined };
      lists.set(name, list.spans);
    } else if (token === ':' && depth === 1) name = String(JSON.parse(previous));
    if (token === '{' || token === '[') depth += 1;
    previous = token;
  }
  return lists;
}

interface OpenList {
  /** Of its items. */
  readonly depth: number;
  readonly spans: Span[];
  /** The item so far. */
  item: Span | undefined;
}
