import {
  type Document,
  isAlias,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { lossyYamlNumber } from '../lossy-number.ts';
import { ParseError } from '../strict-json.ts';

/** What is wrong, and with what. */
interface DataLoss {
  readonly node: Node;
  readonly message: string;
}

/**
 * Parses YAML, and refuses what would come out as something else than was written.
 *
 * @throws {ParseError}
 * @throws {Error} of `yaml`, where it is none
 */
export function parseYaml(text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  // What it only warns of, such as a tag that nobody knows, is not what its author meant either.
  const [error] = [...document.errors, ...document.warnings];
  const line = error?.linePos?.[0].line ?? 1;
  if (error?.code === 'MULTIPLE_DOCS') throw new ParseError(line, SECOND_DOCUMENT);
  if (error?.code === 'RESOURCE_EXHAUSTION') throw new ParseError(line, 'what stands here is nested too deeply');
  if (error) throw error;
  const loss = findLoss(document);
  if (loss) throw new ParseError(lines.linePos(loss.node.range?.[0] ?? 0).line, loss.message);
  return document.toJS({ maxAliasCount: 100 });
}

const SECOND_DOCUMENT =
  'a second document begins here (---): write all clients in one list, or each document in a file';

function findLoss(document: Document): DataLoss | undefined {
  let found: DataLoss | undefined;
  const stopAt = (loss: DataLoss | undefined) => {
    found = loss;
    return loss && visit.BREAK;
  };
  visit(document, {
    Scalar: (_, node) => stopAt(lossOfScalar(node)),
    Map: (_, node) => stopAt(lossOfTag(node) ?? lossOfNames(node, document)),
    Seq: (_, node) => stopAt(lossOfTag(node)),
  });
  return found;
}

function lossOfScalar(node: Scalar): DataLoss | undefined {
  const { value, source = '' } = node;
  if (typeof value === 'number') {
    const message = lossyYamlNumber(source, value);
    return message === undefined ? undefined : { node, message };
  }
  // A date or octets, by a tag or in YAML 1.1.
  if (typeof value === 'object' && value !== null) return { node, message: `${source} is no text; put it in quotes` };
  return undefined;
}

/** Sets and their like, of which JSON has none. */
function lossOfTag(node: Node): DataLoss | undefined {
  const { tag } = node;
  if (tag === undefined || tag === '!' || /:(?:map|seq)$/.test(tag)) return undefined;
  return { node, message: `the tag ${tag} is not supported` };
}

/** Names become text, and then some are the same that YAML takes for different ones. */
function lossOfNames({ items }: YAMLMap<unknown, unknown>, document: Document): DataLoss | undefined {
  const names = new Set<string>();
  for (const { key } of items) {
    const node = key as Node; // So it is in whatever was parsed.
    const resolved = isAlias(node) ? node.resolve(document) : node;
    if (!isScalar(resolved) || typeof resolved.value === 'object') return { node, message: 'a name must be text' };
    if (isMergeKey(resolved)) return { node, message: NO_MERGE };
    const name = String(resolved.value);
    if (names.has(name)) return { node, message: `duplicate key ${JSON.stringify(name)}` };
    names.add(name);
  }
  return undefined;
}

const NO_MERGE = 'merge keys (<<) are not supported: write the fields out, or put the name in quotes';

/** YAML 1.2 has none any more, and would make a field of this name without a word. */
function isMergeKey({ type, source, tag }: Scalar): boolean {
  return (type === 'PLAIN' && source === '<<') || tag === 'tag:yaml.org,2002:merge';
}
