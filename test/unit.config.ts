import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineConfig } from 'vitest/config';
import usual from '../vitest.config.ts';
import { repositoryRoot } from './support/repository-root.ts';

/** `npm run test:unit`: the tests that start no process and need no program, for a run of seconds after each edit. */
const test = {
  ...usual.test,
  include: globSync('test/**/*.test.ts', { cwd: repositoryRoot }).filter((file) => !startsProcesses(file)),
  globalSetup: ['test/support/unit-setup.ts'],
};
export default defineConfig({ ...usual, test });

/** Whether a file imports, directly or through others, what starts processes or needs programs. */
function startsProcesses(file: string, visited = new Set<string>()): boolean {
  if (visited.has(file)) return false;
  visited.add(file);
  const text = readFileSync(join(repositoryRoot, file), 'utf8');
  const imported = [...text.matchAll(/(?:from|import\() ?'([^']+)'/g)].map(([, target = '']) => target);
  if (imported.includes('node:child_process') || imported.some((target) => target.endsWith('/describe-with.ts')))
    return true;
  return imported
    .filter((target) => target.startsWith('.'))
    .map((target) => join(dirname(file), target))
    .some((target) => target.startsWith('test/') && startsProcesses(target, visited));
}
