import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../support/run-program.ts';

test('a request leaves nothing for the next major garbage collection', async () => {
  const { stdout } = await runProgram(process.execPath, [join(import.meta.dirname, 'measure-promoted-memory.ts')]);
  expect(Number.parseFloat(stdout.toString())).toBeLessThan(60);
});
