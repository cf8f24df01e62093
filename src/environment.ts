import type { Environment } from './settings/settings.ts';

/** The environment of this process. No other file reads it. */
export const environment: Environment = process.env;

/** Changes the environment of this process, for options that replace settings. Undefined removes a variable. */
export function setVariables(variables: Environment): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
