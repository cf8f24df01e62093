import { type Json, MAX_DEPTH } from '../../../clients/json-value.ts';
import { ImportError } from '../draft.ts';

/** A key of .NET's configuration: a value, or a section that a list is as well. */
interface Node {
  /** As first written. */
  readonly name: string;
  value: Json | undefined;
  /** By lower-case name. */
  readonly members: Map<string, Node>;
}

/**
 * Expands names with colons as .NET does: `Clients:0:ClientId` is a value in a section in a section.
 *
 * @param file parsed JSON; returned as it is if it has no such name
 * @throws {ImportError} if there are two values of one name
 */
export function expandNames(file: Json): Json {
  if (!hasColons(file)) return file;
  const root = newNode('');
  addTo(root, file, { path: '', written: new Set() });
  return toJson(root);
}

function hasColons(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => name.includes(':') || hasColons(member));
}

/** Where a value is, and the paths of the values so far. */
interface Place {
  readonly path: string;
  readonly written: Set<string>;
}

function addTo(node: Node, value: Json, { path, written }: Place): void {
  if (typeof value === 'object' && value !== null) {
    for (const [names, member] of Object.entries(value)) {
      const inner = `${path}:${names.toLowerCase()}`;
      // The importers recurse over the result.
      if (inner.split(':').length > MAX_DEPTH) throw new ImportError(`nested deeper than ${MAX_DEPTH} levels`);
      addTo(names.split(':').reduce(memberOf, node), member, { path: inner, written });
    }
    return;
  }
  if (written.has(path)) throw new ImportError(`two values of "${path.slice(1)}"`);
  written.add(path);
  node.value = value;
}

function memberOf({ members }: Node, name: string): Node {
  const known = members.get(name.toLowerCase());
  if (known) return known;
  const added = newNode(name);
  members.set(name.toLowerCase(), added);
  return added;
}

function newNode(name: string): Node {
  return { name, value: undefined, members: new Map() };
}

/** A list becomes an object with its indexes as names, which is what .NET makes of it. */
function toJson({ value, members }: Node): Json {
  if (members.size === 0) return value ?? null;
  return Object.fromEntries([...members.values()].map((member) => [member.name, toJson(member)]));
}
