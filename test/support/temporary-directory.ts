import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/**
 * A new folder inside the folder of this run, which the global teardown removes: a worker that vitest ends by a signal
 * has no moment to clean up after itself. Paths are short, because a Unix socket's may have 104 characters.
 */
export function temporaryDirectory(): string {
  return mkdtempSync(join(inject('temporaryRoot'), 't-'));
}
