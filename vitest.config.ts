import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default'],
    // A process for each file, as many at once as there are cores; vitest's own default leaves one core idle.
    pool: 'forks',
    maxWorkers: availableParallelism(),
    // Files of one process share what is loaded; none changes it.
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
