import { inject } from 'vitest';
import { missingProgram, type ProgramName } from './programs.ts';

/** The path of a program that the global setup found. Call it inside `describeWith`. */
export function programPath(name: ProgramName): string {
  const path = inject('programs')[name];
  if (!path) throw new Error(missingProgram(name));
  return path;
}
