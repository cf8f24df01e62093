import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A checked-out revision of this project whose `serve` is measured. */
export interface Tree {
  /** The revision; empty for the working tree. */
  readonly revision: string;
  readonly root: string;
  /** The Node that the tree runs on. */
  readonly node: string;
  /** What `bin` runs: the built program, or `src/main.ts` of a revision without a build. */
  readonly program: string;
}

export function treeAt(root: string, revision: string): Tree {
  // Safe: a package.json of this project.
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { countersign: string } };
  const ownNode = join(root, 'node_modules/.bin/node');
  const node = existsSync(ownNode) ? ownNode : process.execPath;
  return { revision, root, node, program: join(root, bin.countersign) };
}
