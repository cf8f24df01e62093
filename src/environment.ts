import type { Environment } from './settings/settings.ts';

/** The environment of this process. No other file reads it. */
export const environment: Environment = process.env;
