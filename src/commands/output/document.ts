import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { parse, stringify } from 'yaml';
import { escapeUnits, UNPRINTABLE } from '../../text.ts';

/** What a document for programs is written in; both hold the same. */
export type DocumentFormat = 'json' | 'yaml';

const FLUSH_CHARACTERS = 65_536;

/** Prints one value that is not long. */
export function printValue(format: DocumentFormat, value: object): void {
  process.stdout.write(format === 'json' ? `${escapeUnseen(JSON.stringify(value, null, 2))}\n` : yamlText(value));
}

/**
 * The text of one object with a list in it, which may be longer than memory: an item at a time, in JSON one a line.
 *
 * @param rest the fields after the list, asked once the list is through
 */
export function documentText(
  format: DocumentFormat,
  name: string,
  items: AsyncIterable<object> | Iterable<object>,
  rest: () => object = () => ({}),
): AsyncGenerator<string> {
  return format === 'json' ? jsonDocument(name, items, rest) : yamlDocument(name, items, rest);
}

/** Writes texts one after the other, as fast as the stream takes them. Default: standard output. */
export async function writeTexts(
  texts: AsyncIterable<string> | Iterable<string>,
  stream: Writable = process.stdout,
): Promise<void> {
  let buffered = '';
  for await (const text of texts) {
    buffered += text;
    if (buffered.length < FLUSH_CHARACTERS) continue;
    await write(buffered, stream);
    buffered = '';
  }
  await write(buffered, stream);
}

async function write(text: string, stream: Writable): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

async function* jsonDocument(name: string, items: AsyncIterable<object> | Iterable<object>, rest: () => object) {
  yield `{\n  ${JSON.stringify(name)}: [`;
  let separator = '\n';
  for await (const item of items) {
    yield `${separator}    ${jsonText(item)}`;
    separator = ',\n';
  }
  yield separator === '\n' ? ']' : '\n  ]';
  for (const [field, value] of Object.entries(rest())) yield `,\n  ${JSON.stringify(field)}: ${jsonText(value)}`;
  yield '\n}\n';
}

async function* yamlDocument(name: string, items: AsyncIterable<object> | Iterable<object>, rest: () => object) {
  let heading = `${name}:\n`;
  for await (const item of items) {
    yield `${heading}${yamlText([item])}`;
    heading = '';
  }
  if (heading !== '') yield `${name}: []\n`;
  const fields = rest();
  if (Object.keys(fields).length > 0) yield yamlText(fields);
}

/** But for what a document is laid out with. */
const UNSEEN_IN_DOCUMENT = new RegExp(`(?![\\n\\t])${UNPRINTABLE.source}`, UNPRINTABLE.flags);

/** JSON that a terminal shows as it is. */
export function jsonText(value: unknown): string {
  return escapeUnseen(JSON.stringify(value));
}

/** Tools of YAML 1.1, which are many, would read `no`, `012` and `2027-01-31` as a flag, a number and a date. */
const YAML_OPTIONS = { lineWidth: 0, compat: 'yaml-1.1' } as const;

/** YAML that a terminal shows as it is, with a line feed at its end. */
export function yamlText(value: unknown): string {
  const text = stringify(value, YAML_OPTIONS);
  if (text.search(UNSEEN_IN_DOCUMENT) < 0 && isExact(text, value)) return text;
  // Only between double quotes an escape is one.
  return escapeUnseen(stringify(value, { ...YAML_OPTIONS, defaultStringType: 'QUOTE_DOUBLE' }));
}

/** Of a text of several lines, blocks lose white space at its beginning. */
function isExact(text: string, value: unknown): boolean {
  return !/[|>][-+\d]*$/m.test(text) || JSON.stringify(parse(text)) === JSON.stringify(value);
}

function escapeUnseen(text: string): string {
  return text.replace(UNSEEN_IN_DOCUMENT, escapeUnits);
}
