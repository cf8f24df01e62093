import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { EndToEndFirst } from './test/support/end-to-end-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default'],
    // A process for each file, and one more than there are cores: many tests wait for something most of the time.
    pool: 'forks',
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: EndToEndFirst },
    // Files of one process share what is loaded; none changes it.
    isolate: false,
    // For a machine that does other things as well: about ten times what the longest test takes on an idle one.
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
