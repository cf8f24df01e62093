import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { EndToEndFirst } from './test/support/end-to-end-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default'],
    // Two processes more than there are cores, since many tests wait for timers and processes most of the time.
    pool: 'forks',
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: EndToEndFirst },
    // The files of a process share loaded modules. No test modifies them.
    isolate: false,
    // About ten times the duration of the longest test on an idle machine, for busy ones.
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
