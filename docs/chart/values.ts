import { readFileSync } from 'node:fs';
import { isMap, isScalar, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';

const chartFolder = new URL('../../deploy/helm/countersign/', import.meta.url);

/** A value of the chart that users set: a scalar, a list, or an object of Kubernetes. */
export interface ChartValue {
  /** Such as `['image', 'tag']`. */
  readonly path: readonly [string, ...string[]];
  /** In Markdown: the comment above it. */
  readonly description: string;
  readonly default: unknown;
}

/** A mapping of values, such as `image`. Its comment describes it as a whole. */
export interface ChartGroup {
  readonly name: string;
  readonly description: string | undefined;
  readonly members: readonly (ChartValue | ChartGroup)[];
}

/** The values of the chart, from values.yaml: the only place with their defaults and descriptions. */
export function readChartValues(): ChartGroup {
  const document = parseDocument(readFileSync(new URL('values.yaml', chartFolder), 'utf8'));
  const { contents } = document;
  if (!isMap<Node, Node>(contents)) throw new Error('values.yaml: expected a mapping');
  return { name: '', description: undefined, members: membersOf(contents.items, undefined, []) };
}

/** A mapping whose members have comments is a group; any other is a value, such as the default `resources`. */
function membersOf(
  items: readonly Pair<Node, Node | null>[],
  firstComment: string | null | undefined,
  path: readonly string[],
): readonly (ChartValue | ChartGroup)[] {
  return items.map(({ key, value }, index) => {
    const name = isScalar(key) ? String(key.value) : '';
    const ownPath = [...path, name] as const;
    const description = textOf((index === 0 ? firstComment : undefined) ?? key.commentBefore);
    if (isMap<Node, Node>(value) && isDescribed(value))
      return { name, description, members: membersOf(value.items, value.commentBefore, ownPath) };
    if (description === undefined) throw new Error(`values.yaml: ${ownPath.join('.')} has no comment above it`);
    // Safe: a path of at least one name.
    return { path: ownPath as unknown as ChartValue['path'], description, default: value?.toJSON() };
  });
}

/** The parser attaches the comment above the first member to the mapping. */
function isDescribed({ items, commentBefore }: YAMLMap<Node, Node>): boolean {
  const [first] = items;
  if (!first) return false;
  return (
    textOf(commentBefore ?? first.key.commentBefore) !== undefined ||
    (isMap<Node, Node>(first.value) && isDescribed(first.value))
  );
}

/** The last paragraph: the first comment of the file is above another one. */
function textOf(comment: string | null | undefined): string | undefined {
  const paragraph = comment?.split(/\n\s*\n/).at(-1);
  return paragraph
    ?.split('\n')
    .map((line) => line.trim())
    .join(' ');
}
