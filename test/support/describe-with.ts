import { describe, inject, it } from 'vitest';
import { isContinuousIntegration, isRequired, missingProgram, type ProgramName } from './programs.ts';

/**
 * A suite that needs programs that npm does not install. If one is missing, the suite is skipped and its title names the
 * program and how to install it. In CI, it fails instead if it can be installed.
 */
export function describeWith(needed: readonly ProgramName[], name: string, body: () => void): void {
  const missing = needed.filter((program) => inject('programs')[program] === undefined);
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  const reason = missing.map(missingProgram).join('; ');
  // The default reporter prints titles of failed suites only.
  console.warn(`skipped: ${name}: ${reason}`);
  describe(`${name} (${reason})`, () => {
    it.skipIf(!isContinuousIntegration() || !missing.some(isRequired))('has the programs that it needs', () => {
      throw new Error(reason);
    });
  });
}
