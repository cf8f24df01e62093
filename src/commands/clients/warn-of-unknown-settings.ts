import { unknownSettings } from '../../config.ts';
import type { Environment } from '../../settings/settings.ts';
import { printFault } from '../print-error.ts';

/** Whoever misspells a setting works on other clients than those that were meant. */
export function warnOfUnknownSettings(env: Environment): void {
  for (const name of unknownSettings(env)) {
    printFault(`warning: ${name} is not a setting of this version, and has no effect`);
  }
}
