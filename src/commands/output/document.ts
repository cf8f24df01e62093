import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { parse, stringify } from 'yaml';
import { escapeUnits, UNPRINTABLE } from '../../text.ts';

/** The machine-readable formats; both have the same content. */
export type DocumentFormat = 'json' | 'yaml';

/** Prints one value that fits in memory. */
export function printValue(format: DocumentFormat, value: object): void {
  process.stdout.write(format === 'json' ? `${escapeUnprintable(JSON.stringify(value, null, 2))}\n` : yamlText(value));
}

/** Lists by their names. They need not fit in memory. */
type Lists = Readonly<Record<string, AsyncIterable<object> | Iterable<object>>>;

/**
 * An object with some lists as text: one item at a time, in JSON one per line.
 *
 * @param rest the fields after the lists, evaluated once these have ended
 */
export function documentText(
  format: DocumentFormat,
  lists: Lists,
  rest: () => object = () => ({}),
): AsyncGenerator<string> {
  return format === 'json' ? jsonDocument(lists, rest) : yamlDocument(lists, rest);
}

async function* jsonDocument(lists: Lists, rest: () => object) {
  let start = '{';
  for (const [name, items] of Object.entries(lists)) {
    yield `${start}\n  ${JSON.stringify(name)}: [`;
    let separator = '\n';
    for await (const item of items) {
      yield `${separator}    ${jsonText(item)}`;
      separator = ',\n';
    }
    yield separator === '\n' ? ']' : '\n  ]';
    start = ',';
  }
  for (const [field, value] of Object.entries(rest())) yield `,\n  ${JSON.stringify(field)}: ${jsonText(value)}`;
  yield '\n}\n';
}

async function* yamlDocument(lists: Lists, rest: () => object) {
  for (const [name, items] of Object.entries(lists)) {
    let heading = `${name}:\n`;
    for await (const item of items) {
      yield `${heading}${yamlText([item])}`;
      heading = '';
    }
    if (heading !== '') yield `${name}: []\n`;
  }
  const fields = rest();
  if (Object.keys(fields).length > 0) yield yamlText(fields);
}

const FLUSH_CHARACTERS = 65_536;

/** Writes texts as fast as the stream accepts them. Default: standard output. */
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

/** JSON on one line, with terminal controls escaped. */
export function jsonText(value: unknown): string {
  return escapeUnprintable(JSON.stringify(value));
}

/**
 * YAML 1.1 tools, which are common, would read `no`, `012` and `2027-01-31` as a boolean, a number and a date. Texts
 * between double quotes stay on one line: the library loses spaces beside the line feeds of the others.
 */
const YAML_OPTIONS = { lineWidth: 0, compat: 'yaml-1.1', doubleQuotedAsJSON: true } as const;

/** YAML that ends with a line feed, with terminal controls escaped. */
export function yamlText(value: unknown): string {
  const text = stringify(value, YAML_OPTIONS);
  if (text.search(UNPRINTABLE_IN_DOCUMENT) < 0 && isLossless(text, value)) return text;
  // Escapes exist between double quotes only.
  return escapeUnprintable(stringify(value, { ...YAML_OPTIONS, defaultStringType: 'QUOTE_DOUBLE' }));
}

/** Block scalars lose white space at the start of a text. */
function isLossless(text: string, value: unknown): boolean {
  return !/[|>][-+\d]*$/m.test(text) || JSON.stringify(parse(text)) === JSON.stringify(value);
}

/** Line feeds and tabs belong to the layout of a document. */
const UNPRINTABLE_IN_DOCUMENT = new RegExp(`(?![\\n\\t])${UNPRINTABLE.source}`, UNPRINTABLE.flags);

function escapeUnprintable(text: string): string {
  return text.replace(UNPRINTABLE_IN_DOCUMENT, escapeUnits);
}
