import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import base from '../vitest.config.ts';
import { LongestFirst } from './support/longest-first.ts';
import { repositoryRoot } from './support/repository-root.ts';

/** A campaign measures durations, or shortens those of a protocol, if its text has this. */
const CLOCKS = /\/(?:expect-within|shortened-times|fault-row)\.ts'|threadCpuUsage/;
const campaigns = globSync('test/**/*.campaign.ts', { cwd: repositoryRoot });
const measuring = campaigns.filter((file) => CLOCKS.test(readFileSync(join(repositoryRoot, file), 'utf8')));

const project = (name: string, include: readonly string[], maxWorkers: number, groupOrder: number) => ({
  extends: true as const,
  test: { name, include: [...include], maxWorkers, sequence: { groupOrder } },
});

/**
 * The campaigns: tests that take too long for every test run. First those that mostly wait for processes and timers, several
 * on each core; then those that measure, one per core.
 */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: [],
    sequence: { sequencer: LongestFirst },
    projects: [
      project(
        'waiting',
        campaigns.filter((file) => !measuring.includes(file)),
        2 * availableParallelism(),
        0,
      ),
      project('measuring', measuring, availableParallelism(), 1),
    ],
  },
});
