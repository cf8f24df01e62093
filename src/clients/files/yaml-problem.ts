import { type Document, isCollection, isScalar, visit, type YAMLError } from 'yaml';

/** What is wrong, and the offset of its cause. */
export interface YamlProblem {
  readonly message: string;
  readonly offset: number;
}

/**
 * Explains an error of the YAML parser to the author of the text. The parser's own words are those of the specification,
 * and it locates what is not closed where the text ends.
 */
export function explainYamlError(error: YAMLError, document: Document, text: string): YamlProblem {
  const [offset] = error.pos;
  const conflict = /^(?:<{7}|={7}|>{7})(?= |$)/m.exec(text);
  if (conflict) return { message: `a merge conflict (${conflict[0]}): resolve it`, offset: conflict.index };
  // Without its location and excerpt.
  const original = error.message.replace(/ at line \d+, column \d+[\s\S]*$/, '').replace(/:$/, '');
  if (/^Missing closing .quote/.test(original))
    return { message: 'a quotation mark is not closed', offset: lastQuoted(document, offset) };
  if (/^Flow .* must be sufficiently indented and end with/.test(original))
    return { message: `a ${original.endsWith(']') ? '[' : '{'} is not closed`, offset: lastFlow(document, offset) };
  if (original.startsWith('Block collections are not allowed within flow'))
    return { message: text[offset] === '-' ? 'a list with dashes within brackets' : MISSING_COMMA, offset };
  return { message: explanationOf(original) ?? original, offset };
}

function explanationOf(original: string): string | undefined {
  for (const [pattern, explanation] of explanations) {
    const match = pattern.exec(original);
    if (match) return typeof explanation === 'string' ? explanation : explanation(match[1] ?? '');
  }
  return undefined;
}

const MISSING_COMMA = 'a comma is missing within brackets';
const WRONG_INDENTATION = 'wrong indentation: the lines of a list or a mapping must start in the same column';
const quoted = (character: string) => `a value that starts with ${character} must be in quotes`;

/** By the words of the parser. All others are passed on. */
const explanations: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/^Tabs are not allowed/, 'a tab in the indentation; use spaces'],
  [/^(?:Sequence item without|All \w+ items must start|A block sequence may not be used)/, WRONG_INDENTATION],
  [/^Implicit map keys need to be followed/, 'a line lacks ": " (colon and space) after its key'],
  [/^Implicit keys of flow/, 'a list with dashes, or a missing comma, within brackets'],
  [/^Implicit keys /, 'a line lacks ": " (colon and space) after its key'],
  [/^Nested mappings are not allowed/, 'a second ": " (colon and space) in a line: put the value in quotes'],
  [/^Unexpected block-seq-ind on same line/, 'a list must start on the line after its key'],
  [/^Unexpected (?!flow-|block-).* at node end/, 'text after the closing quotation mark or bracket of a value'],
  [/^Unexpected \S+ token in YAML stream: "(.*)"/, (found) => `unexpected ${found}: its opening bracket is missing`],
  [/^Unexpected \S*scalar token/, MISSING_COMMA],
  [
    /^Invalid escape sequence (.*)/,
    (found) => `${found} is not an escape in double quotes; write \\\\ for a backslash`,
  ],
  [/^Missing ,/, MISSING_COMMA],
  [/^Unexpected , in/, 'a comma without a value before it'],
  [/^Plain value cannot start with .* (\S)$/, quoted],
  [/^Anchor cannot be an empty string/, quoted('&')],
  [/^Alias cannot be an empty string/, quoted('*')],
  [/^(?:Unresolved tag|Could not resolve tag): (!.*)/, (found) => `the tag ${found} is not supported; quote the value`],
  [/^Unresolved tag: tag:yaml\.org,2002:(\w+)/, (found) => `the value is not of the type of its tag !!${found}`],
  [/^Missing directives-end/, '--- is missing after the directives (%)'],
  [/^Comments must be separated/, 'a comment (#) lacks the space before it'],
  [/^Block scalar header includes/, 'text after | or > on its line; write it in the next lines'],
  [/^Block scalars with more-indented/, 'a blank line after | or > has more spaces than the next line'],
  [/^The : indicator must be at most 1024/, 'a key is longer than 1,024 characters'],
  [/^An alias node must not/, 'an alias (*name) has an anchor or a tag'],
  [/^A node can have at most one (\w+)/, (found) => `a value has two ${found}s`],
];

/** The start of the quoted scalar that was read up to an offset. */
function lastQuoted(document: Document, offset: number): number {
  return lastStart(document, offset, (node) => isScalar(node) && /^QUOTE/.test(node.type ?? ''));
}

/** The start of the flow collection that was read up to an offset. */
function lastFlow(document: Document, offset: number): number {
  return lastStart(document, offset, (node, end) => isCollection(node) && node.flow === true && end >= offset);
}

function lastStart(document: Document, offset: number, matches: (node: unknown, end: number) => boolean): number {
  let start = offset;
  visit(document, {
    Node: (_, node) => {
      const [from = offset, to = offset] = node.range ?? [];
      if (from <= offset && matches(node, to)) start = from;
    },
  });
  return start;
}
