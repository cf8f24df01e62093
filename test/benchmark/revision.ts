import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { type Tree, treeAt } from './tree.ts';

const INSTALL_LIMIT_MILLISECONDS = 600_000;

/**
 * Checks out a commit as a git worktree, and installs its own dependencies.
 *
 * @param directory the parent of the worktree
 * @throws {Error} if there is no such commit, or its installation fails
 */
export async function checkOut(revision: string, directory: string): Promise<Tree> {
  const commit = (await git('rev-parse', '--verify', '--short', `${revision}^{commit}`)).trim();
  const root = join(mkdtempSync(join(directory, 'revision-')), 'tree');
  await git('worktree', 'add', '--detach', root, commit);
  await npm(root, 'ci', '--no-audit', '--no-fund');
  await buildIfBuilt(root);
  return treeAt(root, commit);
}

/** Unregisters the worktrees whose directories are gone. */
export async function pruneWorktrees(): Promise<void> {
  await git('worktree', 'prune');
}

/** Builds a tree whose program is built; `src/main.ts` of an older one runs as it is. */
export async function buildIfBuilt(root: string): Promise<void> {
  // Safe: a package.json of this project.
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  if ('build' in scripts) await npm(root, 'run', 'build');
}

async function git(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram('git', args, { cwd: repositoryRoot });
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.trim()}`);
  return stdout.toString();
}

async function npm(cwd: string, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runProgram('npm', args, { cwd, timeout: INSTALL_LIMIT_MILLISECONDS });
  if (code !== 0) throw new Error(`npm ${args.join(' ')} in ${cwd}: exit code ${code}\n${stdout}${stderr}`);
}
