import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The first page of the documentation of this version, as it was installed with it; undefined if it was not. */
export function documentationPath(): string | undefined {
  const path = join(import.meta.dirname, '..', 'docs', 'README.md');
  return existsSync(path) ? path : undefined;
}
