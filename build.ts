import { join } from 'node:path';
import { build } from 'rolldown';

/**
 * Builds the program as it ships: each `import()` is a chunk of its own, loaded when it runs. Dependencies are part of the
 * build.
 *
 * @param directory is emptied first
 * @returns the file that Node.js runs
 */
export async function buildCountersign(directory: string): Promise<string> {
  await build({
    cwd: import.meta.dirname,
    input: { countersign: 'src/countersign.ts', 'parse-worker': 'src/clients/files/parse-worker.ts' },
    platform: 'node',
    // The CommonJS of some packages requires its own files by computed names; their ES modules do not.
    resolve: { mainFields: ['module', 'main'] },
    // V8 stores a text with any character beyond Latin-1 in twice the memory.
    output: { dir: directory, cleanDir: true, sourcemap: true, charset: 'ascii' },
  });
  return join(directory, 'countersign.js');
}

/** `npm run build`. */
if (import.meta.main) await buildCountersign(join(import.meta.dirname, 'dist'));
