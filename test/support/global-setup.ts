import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildCountersign } from '../../build.ts';
import { type Installation, installationsOf } from './install-programs.ts';
import {
  findProgram,
  isContinuousIntegration,
  isRequired,
  missingProgram,
  type ProgramName,
  programNames,
} from './programs.ts';
import { type RunningRedis, startRedis } from './redis-server.ts';

/**
 * Once per test run: finds or installs the programs, builds Countersign, starts redis-server, and afterwards removes
 * everything.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const programs = findPrograms();
  const temporaryRoot = mkdtempSync(join(tmpdir(), 'cs-'));
  const removeRoot = () => rmSync(temporaryRoot, { recursive: true, force: true });
  process.once('exit', removeRoot);
  const redis = await startSharedRedis(programs['redis-server'], temporaryRoot);
  project.provide('programs', programs);
  project.provide('temporaryRoot', temporaryRoot);
  project.provide('countersign', await buildCountersign(join(temporaryRoot, 'dist')));
  project.provide('redisUrl', redis?.url ?? '');
  return async () => {
    await redis?.stop();
    removeRoot();
  };
}

function findPrograms(): Partial<Record<ProgramName, string>> {
  for (const installation of installationsOf(missingPrograms())) tryToInstall(installation);
  const stillMissing = missingPrograms();
  const required = stillMissing.filter(isRequired).map(missingProgram);
  if (required.length > 0 && isContinuousIntegration()) throw new Error(required.join('\n'));
  for (const name of stillMissing) console.warn(`${missingProgram(name)} (the tests that need it are skipped)`);
  const found = programNames.map((name) => [name, findProgram(name)]);
  return Object.fromEntries(found.filter(([, path]) => path !== undefined));
}

function tryToInstall({ command, run }: Installation): void {
  console.info(`Installing programs for the tests: ${command}`);
  try {
    run();
  } catch (error) {
    console.warn(`Installation failed: ${error instanceof Error ? error.message : error}`);
  }
}

function missingPrograms(): ProgramName[] {
  return programNames.filter((name) => findProgram(name) === undefined);
}

async function startSharedRedis(program: string | undefined, directory: string): Promise<RunningRedis | undefined> {
  return program ? await startRedis({ program, directory }) : undefined;
}
