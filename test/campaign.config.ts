import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import base from '../vitest.config.ts';
import { LongestFirst } from './support/longest-first.ts';

/** The campaigns: tests that take too long for every test run. One per core, since they measure durations. */
const test = {
  ...base.test,
  include: ['test/**/*.campaign.ts'],
  maxWorkers: availableParallelism(),
  sequence: { sequencer: LongestFirst },
};
export default defineConfig({ ...base, test });
