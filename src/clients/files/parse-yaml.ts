import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { lossyYamlNumber } from '../lossy-number.ts';
import { ParseError } from '../strict-json.ts';
import { type ListSpans, ROOT_LIST, type Span } from './list-spans.ts';
import { explainYamlError } from './yaml-problem.ts';

/** The value of a text, and where the items of its lists are. */
export interface ParsedYaml {
  readonly value: unknown;
  readonly spans: ListSpans;
}

/**
 * Parses YAML, and rejects values that would change their meaning.
 *
 * @throws {ParseError}
 */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  // YAML 1.2 §5.4: CR alone ends a line as well, which the library does not support.
  const source = text.replaceAll(/\r(?!\n)/g, '\n');
  const document = parseDocument(source, {
    lineCounter: lines,
    // `keyLoss` reports duplicates by their names.
    uniqueKeys: false,
  });
  // A warning, such as an unknown tag, means that the value is not what its author meant either.
  const [error] = [...document.errors, ...document.warnings];
  const errorAt = (offset: number, message: string) => {
    const { line, col: column } = lines.linePos(offset);
    return new ParseError({ line, column }, message);
  };
  const start = error?.pos[0] ?? 0;
  if (error?.code === 'MULTIPLE_DOCS') throw errorAt(start, SECOND_DOCUMENT);
  if (error?.code === 'RESOURCE_EXHAUSTION') throw errorAt(start, 'nested too deeply');
  if (error) {
    const { message, offset } = explainYamlError(error, document, source);
    throw errorAt(offset, `invalid YAML: ${message}`);
  }
  const loss = findDataLoss(document);
  if (loss) {
    const [offset = 0] = loss.node.range ?? [];
    throw errorAt(offset, source.startsWith('{{', offset - 1) ? TEMPLATE : loss.message);
  }
  return { value: toValue(document, errorAt), spans: listSpans(document) };
}

function toValue(document: Document, errorAt: (offset: number, message: string) => ParseError): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // The only error that is left after the checks above.
    if (error instanceof ReferenceError) throw errorAt(lastAlias(document), TOO_MANY_ALIASES);
    throw error;
  }
}

/** Where the items are: of the document, if it is a list, otherwise of the lists in it. */
function listSpans(document: Document): ListSpans {
  const spansOf = (node: unknown): readonly Span[] => {
    const list = isAlias(node) ? node.resolve(document) : node;
    return isSeq(list) ? list.items.map(spanOf) : [];
  };
  const { contents } = document;
  if (!isMap(contents)) return new Map([[ROOT_LIST, spansOf(contents)]]);
  return new Map(contents.items.map(({ key, value }) => [isScalar(key) ? String(key.value) : '', spansOf(value)]));
}

function spanOf(item: unknown): Span {
  const [offset = 0, end = 0] = (isNode(item) && item.range) || [];
  return { offset, end };
}

function lastAlias(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias: (_, { range }) => {
      offset = range?.[0] ?? offset;
    },
  });
  return offset;
}

const MAX_ALIASES = 100;
const TOO_MANY_ALIASES = `the aliases (*name) stand for more than ${MAX_ALIASES} values: write them out`;

const TEMPLATE = 'a template ({{): render it first, or put the value in quotes';

const SECOND_DOCUMENT =
  'a second document starts here (---): write all clients in one list, or each document in its own file';

/** A node whose value would change, and how. */
interface DataLoss {
  readonly node: Node;
  readonly message: string;
}

function findDataLoss(document: Document): DataLoss | undefined {
  let found: DataLoss | undefined;
  const stopAt = (loss: DataLoss | undefined) => {
    found = loss;
    return loss && visit.BREAK;
  };
  visit(document, {
    Scalar: (_, node) => stopAt(scalarLoss(node)),
    Map: (_, node) => stopAt(tagLoss(node) ?? keyLoss(node, document)),
    Seq: (_, node) => stopAt(tagLoss(node)),
    Alias: (_, node, ancestors) => stopAt(aliasLoss(node, document, ancestors)),
  });
  return found;
}

function scalarLoss(node: Scalar): DataLoss | undefined {
  const { value, source = '' } = node;
  if (typeof value === 'number') {
    const message = lossyYamlNumber(source, value);
    return message === undefined ? undefined : { node, message };
  }
  // Dates and binary values, by a tag or in YAML 1.1.
  if (typeof value === 'object' && value !== null)
    return { node, message: `${source} is not a string; put it in quotes` };
  return undefined;
}

function aliasLoss(node: Alias, document: Document, ancestors: readonly unknown[]): DataLoss | undefined {
  const value = node.resolve(document);
  if (value === undefined)
    return { node, message: `the alias *${node.source} has no anchor &${node.source} before it` };
  return ancestors.includes(value) ? { node, message: `the alias *${node.source} is within its own value` } : undefined;
}

/** JSON has no sets or other tagged collections. */
function tagLoss(node: Node): DataLoss | undefined {
  const { tag } = node;
  if (tag === undefined || tag === '!' || /:(?:map|seq)$/.test(tag)) return undefined;
  return { node, message: `the tag ${tag} is not supported` };
}

/** Keys become strings, so that keys which differ in YAML can become the same. */
function keyLoss({ items }: YAMLMap<unknown, unknown>, document: Document): DataLoss | undefined {
  const keys = new Set<string>();
  for (const item of items) {
    const node = item.key as Node; // In a parsed document, every key is a node.
    const resolved = isAlias(node) ? node.resolve(document) : node;
    if (!isScalar(resolved) || typeof resolved.value === 'object') return { node, message: 'a key must be a string' };
    if (isMergeKey(resolved)) return { node, message: NO_MERGE };
    const key = String(resolved.value);
    if (keys.has(key)) return { node, message: `duplicate key ${JSON.stringify(key)}` };
    keys.add(key);
  }
  return undefined;
}

const NO_MERGE = 'merge keys (<<) are not supported: write the fields out, or put the key in quotes';

/** YAML 1.2 has no merge keys, and would silently make a field of this name. */
function isMergeKey({ type, source, tag }: Scalar): boolean {
  return (type === 'PLAIN' && source === '<<') || tag === 'tag:yaml.org,2002:merge';
}
