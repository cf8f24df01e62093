import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import type { CaseResult, RunContext } from './cases/case.ts';
import { type CaseName, cases } from './cases.ts';
import { findPeers } from './contenders/peers.ts';
import { claimCores, requireCpuTime } from './machine.ts';
import { type BenchmarkOptions, parseOptions } from './options.ts';
import { killAllProcesses } from './processes.ts';
import { createProgress } from './progress.ts';
import { writeDocuments } from './report/documents.ts';
import { findProvenance } from './report/provenance.ts';
import { renderText } from './report/table.ts';
import { targetTable } from './report/targets.ts';
import { prepareTrees, pruneWorktrees } from './revision.ts';

/** `npm run benchmark`: see options.ts and docs/performance.md. */
const options = parseOrExit(process.argv.slice(2));
const progress = createProgress();
const directory = mkdtempSync(join(tmpdir(), 'cs-benchmark-'));

let isEnding = false;
/** A case that fails does not end the others, which take minutes; the exit code reports it. */
let failed = false;
process.once('SIGINT', () => void end(130));
process.once('SIGTERM', () => void end(143));
try {
  await run(options);
  await end(failed ? 1 : 0);
} catch (error) {
  // After a signal, the case fails because its processes have ended.
  progress.clear();
  if (!isEnding) console.error(`error: ${error instanceof Error ? error.message : error}`);
  await end(1);
}

async function run(options: BenchmarkOptions) {
  const { cases: names, rounds, minutes, sizes, against, with: peerNames, output, writeDocs } = options;
  requireCpuTime();
  const cores = claimCores(progress.warn);
  const trees = await prepareTrees(against, directory, progress.show);
  const peers = await findPeers(peerNames, progress);
  const results = new Map<CaseName, CaseResult>();
  for (const name of names) {
    const context: RunContext = {
      rounds,
      minutes,
      sizes,
      cores,
      directory,
      trees,
      peers,
      progress: caseProgress(name),
    };
    const result = await cases[name].run(context).catch((error: Error) => error);
    progress.clear();
    if (isEnding) return;
    if (result instanceof Error) {
      failed = true;
      console.error(`error: ${name}: ${result.message}`);
      continue;
    }
    results.set(name, result);
    if (output === 'text') for (const table of result.tables) console.log(renderText(table));
  }
  const targets = targetTable(results.values());
  if (output === 'text' && targets.rows.length > 0) console.log(renderText(targets));
  const provenance = await findProvenance();
  if (output === 'json') {
    const figures = Object.fromEntries([...results].map(([name, result]) => [name, result.figures]));
    console.log(JSON.stringify({ ...provenance, rounds, cases: figures }, undefined, 2));
  }
  if (writeDocs) await writeDocuments(results, provenance);
}

function parseOrExit(args: readonly string[]): BenchmarkOptions {
  try {
    return parseOptions(args);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exit(error.exitCode === 0 ? 0 : 2);
  }
}

function caseProgress(name: CaseName): RunContext['progress'] {
  return (text) => progress.show(`${name}: ${text}`);
}

/** Leaves nothing behind: no process, no directory, no worktree. Only the first call counts. */
async function end(code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  progress.clear();
  killAllProcesses();
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  if (options.against.length > 0) await pruneWorktrees();
  process.exit(code);
}
