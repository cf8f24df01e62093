import { defineConfig } from 'vitest/config';
import usual from '../vitest.config.ts';

/** What takes too long for every run of the tests: see package.json for the names of the campaigns. */
export default defineConfig({ ...usual, test: { ...usual.test, include: ['test/**/*.campaign.ts'] } });
