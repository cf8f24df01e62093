import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/**
 * A new folder inside the temporary folder of this test run. The global teardown removes it, since a worker that Vitest
 * ends with a signal cannot clean up. Paths are short because that of a Unix socket is limited to 104 characters.
 */
export function temporaryDirectory(): string {
  return mkdtempSync(join(inject('temporaryRoot'), 't-'));
}
