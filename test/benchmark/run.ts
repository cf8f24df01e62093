import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository-root.ts';
import type { CaseResult, RunContext } from './cases/case.ts';
import { type CaseName, cases } from './cases.ts';
import type { Contender } from './contenders/contender.ts';
import { oidcProvider } from './contenders/oidc-provider.ts';
import { installLibraries } from './libraries/load-library.ts';
import { claimCores, describeMachine, requireCpuTime } from './machine.ts';
import { type BenchmarkOptions, parseOptions } from './options.ts';
import { killAllProcesses } from './processes.ts';
import { createProgress } from './progress.ts';
import { renderText } from './report/table.ts';
import { buildIfBuilt, checkOut, pruneWorktrees } from './revision.ts';
import { type Tree, workingTree } from './tree.ts';

/** `npm run benchmark`: see options.ts and docs/performance.md. */
const options = parseOptions(process.argv.slice(2));
const progress = createProgress();
const directory = mkdtempSync(join(tmpdir(), 'cs-benchmark-'));

process.once('SIGINT', () => void end(130));
process.once('SIGTERM', () => void end(143));
try {
  await run(options);
  await end(0);
} catch (error) {
  progress.clear();
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  await end(1);
}

async function run({ cases: names, rounds, minutes, against, output }: BenchmarkOptions): Promise<void> {
  requireCpuTime();
  const cores = claimCores((problem) => console.error(`warning: ${problem}`));
  const trees = await prepareTrees(against);
  const context = { rounds, minutes, cores, directory, trees, peers: await findPeers() };
  const results: Partial<Record<CaseName, CaseResult>> = {};
  for (const name of names) {
    const result = await runCase(name, context);
    results[name] = result;
    if (output === 'text') for (const table of result.tables) console.log(renderText(table));
  }
  if (output === 'json') console.log(JSON.stringify(reportOf(results), undefined, 2));
}

async function runCase(name: CaseName, context: Omit<RunContext, 'progress'>): Promise<CaseResult> {
  const result = await cases[name].run({ ...context, progress: (text) => progress.show(`${name}: ${text}`) });
  progress.clear();
  return result;
}

async function prepareTrees(revisions: readonly string[]): Promise<Tree[]> {
  await buildIfBuilt(repositoryRoot);
  const trees = [workingTree()];
  for (const revision of revisions) {
    progress.show(`installing ${revision}`);
    trees.push(await checkOut(revision, directory));
  }
  return trees;
}

async function findPeers(): Promise<Contender[]> {
  progress.show('installing the libraries of the benchmark');
  try {
    await installLibraries();
    return [oidcProvider];
  } catch (error) {
    progress.clear();
    console.error(`warning: oidc-provider is not measured: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}

function reportOf(results: Partial<Record<CaseName, CaseResult>>) {
  const figures = Object.entries(results).map(([name, result]) => [name, result.figures]);
  return { date: new Date().toISOString(), machine: describeMachine(), cases: Object.fromEntries(figures) };
}

/** Leaves nothing behind: no process, no directory, no worktree. */
async function end(code: number): Promise<never> {
  progress.clear();
  killAllProcesses();
  rmSync(directory, { recursive: true, force: true });
  if (options.against.length > 0) await pruneWorktrees();
  process.exit(code);
}
