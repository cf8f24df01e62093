import type { Environment } from '../../settings/settings.ts';

/** Loaded when a command runs, and not before. */
export async function environment(): Promise<Environment> {
  return (await import('../../config.ts')).environment;
}
