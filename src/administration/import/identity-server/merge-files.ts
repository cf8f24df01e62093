import { type Json, MAX_DEPTH } from '../../../clients/json-value.ts';
import { counted } from '../../../text.ts';
import { ImportError } from '../draft.ts';

/** One of the files of a configuration. */
export interface ConfigurationFile {
  /** As messages name it. */
  readonly name: string;
  /** Parsed JSON. */
  readonly root: Json;
}

/** A key of .NET's configuration: a value, or a section that a list is as well. */
interface Node {
  /** As first written. */
  readonly name: string;
  value: Json | undefined;
  /** By lower-case name. */
  readonly members: Map<string, Node>;
}

interface MergedFiles {
  readonly root: Json;
  /** One on each file that replaces values. */
  readonly remarks: readonly string[];
  /** The values, as texts, that replaced the `ClientId` of a client, with the last file that did. */
  readonly renamedClients: ReadonlyMap<string, string>;
}

/**
 * Merges files as .NET does: by name, whatever its case, and lists item by item. A later file adds values and replaces
 * those of earlier ones; it removes none. A name with colons leads through sections: `Clients:0:ClientId`.
 *
 * @throws {ImportError} if one file has two values of one name
 */
export function mergeFiles(files: readonly ConfigurationFile[]): MergedFiles {
  const [only, ...more] = files;
  const renamedClients = new Map<string, string>();
  if (only && more.length === 0 && !hasColons(only.root)) return { root: only.root, remarks: [], renamedClients };
  const merged = newNode('');
  const remarks = files.flatMap(({ name, root }) => {
    const written: Written = { paths: new Set(), replaced: [], clientIds: [] };
    // A plain list is one of clients.
    addTo(merged, more.length > 0 && Array.isArray(root) ? { Clients: root } : root, '', written);
    for (const clientId of written.clientIds) renamedClients.set(clientId, name);
    return replacedRemark(name, written.replaced);
  });
  return { root: toJson(merged), remarks, renamedClients };
}

function hasColons(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => name.includes(':') || hasColons(member));
}

/** What one file has written so far. */
interface Written {
  /** In lower case. */
  readonly paths: Set<string>;
  /** The paths, as written, at which an earlier file had another value. */
  readonly replaced: string[];
  /** The values with which it replaces the `ClientId` of a client. */
  readonly clientIds: string[];
}

const CLIENT_ID = /(?:^|:)clients:[^:]+:clientid$/;

function addTo(node: Node, value: Json, path: string, written: Written): void {
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    // Replaces nothing, but it is not missing either.
    if (members.length === 0) node.value ??= value;
    for (const [names, member] of members) {
      const inner = path === '' ? names : `${path}:${names}`;
      // The importers recurse over the result.
      if (inner.split(':').length >= MAX_DEPTH) throw new ImportError(`nested deeper than ${MAX_DEPTH} levels`);
      addTo(names.split(':').reduce(memberOf, node), member, inner, written);
    }
    return;
  }
  const key = path.toLowerCase();
  if (written.paths.has(key)) throw new ImportError(`two values of "${key}"`);
  written.paths.add(key);
  if (node.value !== undefined && node.value !== value) {
    written.replaced.push(path);
    if (CLIENT_ID.test(key)) written.clientIds.push(String(value));
  }
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

/** .NET makes an object of a list, with its indexes as names. */
function toJson({ value, members }: Node): Json {
  if (members.size === 0) return value ?? null;
  const items = Array.from(members, (_, index) => members.get(String(index)));
  if (items.every((item) => item !== undefined)) return items.map(toJson);
  return Object.fromEntries([...members.values()].map((member) => [member.name, toJson(member)]));
}

const MAX_NAMED = 3;

function replacedRemark(file: string, paths: readonly string[]): string[] {
  if (paths.length === 0) return [];
  const more = paths.length > MAX_NAMED ? ', …' : '';
  const named = `${paths.slice(0, MAX_NAMED).join(', ')}${more}`;
  return [`${file} replaces ${counted(paths.length, 'value')} of the files before it, as in .NET: ${named}`];
}
