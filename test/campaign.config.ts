import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import usual from '../vitest.config.ts';

/**
 * What takes too long for every run of the tests: see package.json for the names of the campaigns. They measure times, and
 * have a core each.
 */
const test = { ...usual.test, include: ['test/**/*.campaign.ts'], maxWorkers: availableParallelism() };
export default defineConfig({ ...usual, test });
