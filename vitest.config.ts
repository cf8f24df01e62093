import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { EndToEndFirst } from './test/support/end-to-end-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default'],
    // Several more processes than cores: the tests with processes, which run first, use a core for a fifth of their time.
    pool: 'forks',
    maxWorkers: availableParallelism() + 4,
    sequence: { sequencer: EndToEndFirst },
    // The files of a process share loaded modules. No test modifies them.
    isolate: false,
    // About ten times the duration of the longest test on an idle machine, for busy ones.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // Set by CI alone.
    retry: Number(process.env.COUNTERSIGN_TEST_RETRIES ?? 0),
  },
});
