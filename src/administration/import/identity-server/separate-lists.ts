import type { Json } from '../../../clients/json-value.ts';
import { ImportError } from '../draft.ts';
import { hasTableRows } from './database/table-rows.ts';
import { itemsOf, type Section, sectionOf } from './dotnet-configuration.ts';
import { type ConfigurationFile, mergeFiles } from './merge-files.ts';
import { lists } from './options.ts';

/** One of the lists that a file has. */
interface HeldList {
  readonly list: string;
  /** Whether .NET merges it with that of another file: neither a database nor a plain list of clients is its configuration. */
  readonly isMerged: boolean;
}

/**
 * Rejects files with a list that .NET does not merge. Merged item by item, a client would get the certificates and scopes of
 * another one that has the same index in another file.
 *
 * @throws {ImportError} naming the list and a file to import by itself
 */
export function requireSeparateLists(files: readonly ConfigurationFile[]): void {
  if (files.length < 2) return;
  const held = files.flatMap((file) => {
    const own = Map.groupBy(heldLists(mergeFiles([file]).root), ({ list }) => list);
    return [...own].map(([list, all]) => ({ file, list, isMerged: all.every(({ isMerged }) => isMerged) }));
  });
  for (const [list, holders] of Map.groupBy(held, ({ list }) => list)) {
    const unmerged = holders.find(({ isMerged }) => !isMerged);
    if (holders.length < 2 || unmerged === undefined) continue;
    const { name } = unmerged.file;
    throw new ImportError(
      `several files have ${list}, and that of ${name} is from a database or is a plain list, which .NET does not merge: import each file by itself`,
    );
  }
}

function heldLists(root: Json): HeldList[] {
  return Array.isArray(root) ? [{ list: 'Clients', isMerged: false }] : listsIn(sectionOf(root));
}

function listsIn(section: Section): HeldList[] {
  return [...section].flatMap(([key, member]) => {
    const list = lists.find((each) => each.toLowerCase() === key);
    if (list === undefined) return listsIn(sectionOf(member.value));
    return itemsOf(member).length === 0 ? [] : [{ list, isMerged: !hasTableRows(key, member) }];
  });
}
