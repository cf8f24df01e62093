import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { LineIndex, type Position } from '../position.ts';

/** The text of a record, JSON or YAML, and where it starts in its file. */
export interface RecordText {
  readonly text: string;
  readonly start: Position;
}

/** Longer records are rare, and parsing one again would delay requests. */
const MAX_CHARACTERS = 65_536;

/**
 * Finds fields in the text of a record.
 *
 * @returns for the path of a field, such as `certificates[0].thumbprint`, where it is written: its name, otherwise the
 * closest part of the path that is written, otherwise the start of the record
 */
export function fieldLocator({ text, start }: RecordText): (field: string) => Position {
  const indent = indentOf(text, start);
  if (text.length + indent > MAX_CHARACTERS) return () => start;
  const source = ' '.repeat(indent) + text.replaceAll(/\r(?!\n)/g, '\n');
  // JSON is YAML. Aliases of anchors outside the record are not resolved, which is not needed.
  const { contents } = parseDocument(source, { uniqueKeys: false, logLevel: 'silent' });
  const lines = new LineIndex(source);
  return (field) => {
    const offset = contents ? offsetOf(contents, field) : undefined;
    if (offset === undefined) return start;
    const { line, column } = lines.positionAt(offset);
    if (line === 1) return { line: start.line, column: column + start.column - 1 - indent };
    return { line: start.line + line - 1, column };
  };
}

/** The first line of a block must be indented as in the file, since the following lines are. */
function indentOf(text: string, { column }: Position): number {
  return text.startsWith('{') || !text.includes('\n') ? 0 : column - 1;
}

/** The offset of the closest part of a path; undefined if not even its first part is there. */
function offsetOf(node: Node, path: string): number | undefined {
  const member = isMap(node) ? namedMember(node.items, path) : isSeq(node) ? numberedItem(node.items, path) : undefined;
  if (!member) return undefined;
  return (member.value && offsetOf(member.value, member.rest)) ?? member.offset;
}

interface Member {
  readonly offset: number | undefined;
  readonly value: Node | undefined;
  /** The path below it. */
  readonly rest: string;
}

/** A name may contain dots and brackets, so the longest one that the path starts with is meant. */
function namedMember(items: readonly { key: unknown; value: unknown }[], path: string): Member | undefined {
  const [found] = items
    .flatMap(({ key, value }) => (isScalar(key) ? [{ key, name: String(key.value), value }] : []))
    .filter(({ name }) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`))
    .sort((one, other) => other.name.length - one.name.length);
  if (!found) return undefined;
  const rest = path.slice(found.name.length).replace(/^\./, '');
  return { offset: found.key.range?.[0], value: nodeOf(found.value), rest };
}

function numberedItem(items: readonly unknown[], path: string): Member | undefined {
  const [prefix = '', index = ''] = /^\[(\d+)\]\.?/.exec(path) ?? [];
  const item = prefix === '' ? undefined : nodeOf(items[Number(index)]);
  return item && { offset: item.range?.[0], value: item, rest: path.slice(prefix.length) };
}

function nodeOf(value: unknown): Node | undefined {
  return isMap(value) || isSeq(value) || isScalar(value) ? value : undefined;
}
