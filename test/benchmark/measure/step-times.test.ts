import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../support/repository-root.ts';
import type { CpuProfile, ProfileNode } from './cpu-profile.ts';
import { stepFiles, stepShares } from './step-times.ts';

const files = Object.entries(stepFiles).flatMap(([step, paths]) => paths.map((path) => [step, path] as const));

test.each(files)('the step %s has %s, which exists', (_, path) => {
  expect(existsSync(join(repositoryRoot, path))).toBe(true);
});

/** A chain of calls: each node calls the next one. Functions are named by the file that they are in. */
function chain(firstId: number, ...paths: readonly string[]): ProfileNode[] {
  return paths.map((path, index) => ({
    id: firstId + index,
    callFrame: {
      functionName: path.startsWith('(') ? path : 'f',
      url: path.startsWith('(') || path.startsWith('node:') ? path : pathToFileURL(join(repositoryRoot, path)).href,
      lineNumber: 0,
      columnNumber: 0,
    },
    children: index + 1 < paths.length ? [firstId + index + 1] : [],
  }));
}

function sharesOf(nodes: readonly ProfileNode[], ...samples: readonly number[]) {
  const profile: CpuProfile = { nodes, samples, timeDeltas: samples.map(() => 100) };
  return Object.fromEntries(stepShares(profile, repositoryRoot));
}

test('a sample belongs to the innermost function that is part of a step', () => {
  const nodes = chain(1, 'node:internal/http', 'src/endpoints/token.ts', 'src/grants/grants.ts', 'src/text.ts');
  expect(sharesOf(nodes, 4)).toEqual({ authorize: 1 });
});

test('the longest path of a step decides', () => {
  const nodes = chain(1, 'src/terminator/certificate-reader.ts', 'src/cache/bounded-cache.ts');
  const other = chain(11, 'src/terminator/raw-headers.ts');
  expect(sharesOf([...nodes, ...other], 2, 11)).toEqual({ parse: 0.5, terminator: 0.5 });
});

test('a sample outside every step is HTTP, and idle time does not count', () => {
  const nodes = [...chain(1, 'node:internal/http'), ...chain(5, '(idle)'), ...chain(7, '(garbage collector)')];
  expect(sharesOf(nodes, 1, 5, 5, 7)).toEqual({ 'HTTP: Hono, Node.js': 0.5, 'garbage collection': 0.5 });
});
