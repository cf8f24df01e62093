import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository-root.ts';
import { runTool } from './processes.ts';
import { type Tree, treeAt } from './tree.ts';

/** The working tree and these commits, built where they have a build, and ready to run. */
export async function prepareTrees(
  revisions: readonly string[],
  directory: string,
  progress: (text: string) => void,
): Promise<Tree[]> {
  progress('building');
  await buildIfBuilt(repositoryRoot);
  const trees = [treeAt(repositoryRoot, '')];
  for (const revision of revisions) {
    progress(`installing ${revision}`);
    trees.push(await checkOut(revision, directory));
  }
  return trees;
}

/**
 * Checks out a commit as a git worktree, and installs its own dependencies.
 *
 * @param directory the parent of the worktree
 * @throws {Error} if there is no such commit, or its installation fails
 */
async function checkOut(revision: string, directory: string): Promise<Tree> {
  const commit = await findCommit(revision);
  const root = join(mkdtempSync(join(directory, 'revision-')), 'tree');
  await git('worktree', 'add', '--detach', root, commit);
  await npm(root, 'ci', '--no-audit', '--no-fund');
  await buildIfBuilt(root);
  return treeAt(root, commit);
}

/** @returns its short hash */
async function findCommit(revision: string): Promise<string> {
  try {
    return (await git('rev-parse', '--verify', '--short', `${revision}^{commit}`)).trim();
  } catch {
    throw new Error(`--against ${revision}: this repository has no such commit; list commits with: git log --oneline`);
  }
}

/** Unregisters the worktrees whose directories are gone. */
export async function pruneWorktrees(): Promise<void> {
  await git('worktree', 'prune');
}

/** Builds a tree whose program is built; `src/main.ts` of an older one runs as it is. */
async function buildIfBuilt(root: string): Promise<void> {
  // Safe: a package.json of this project.
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  if ('build' in scripts) await npm(root, 'run', 'build');
}

const git = (...args: readonly string[]) => runTool('git', args, repositoryRoot);
const npm = (cwd: string, ...args: readonly string[]) => runTool('npm', args, cwd);
