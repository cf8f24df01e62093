import { defineConfig, mergeConfig } from 'vitest/config';
import usual from '../vitest.config.ts';

/** What takes too long for every run of the tests: see package.json for the names of the campaigns. */
export default mergeConfig(usual, defineConfig({ test: { include: ['test/**/*.campaign.ts'] } }));
