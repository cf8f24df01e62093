import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../support/repository-root.ts';
import { runProgram } from '../../support/run-program.ts';

const module = join(repositoryRoot, 'src/commands/output/errors.ts');
const print = async (error: string) => {
  const code = `import { printError } from ${JSON.stringify(module)}; printError(${error});`;
  return (await runProgram(process.execPath, ['--input-type=module', '--eval', code])).stderr;
};

test('printError prints an unexpected error with its stack, and escapes terminal controls', async () => {
  const printed = await print("Object.assign(new Error('a\\u001b[2Jb'), { path: '\\u202e' })");
  expect(printed).toContain('countersign: unexpected error Error: a\\u{1b}[2Jb\n');
  expect(printed).toMatch(/^countersign: {5}at /m);
  expect(printed).toContain('\\u{202e}');
  expect(printed).not.toMatch(/[^\n\x20-\x7e]/);
});

test('printError prints values that are not errors', async () => {
  expect(await print("'\\u0007'")).toBe("countersign: unexpected error '\\x07'\n");
  expect(await print('undefined')).toBe('countersign: unexpected error undefined\n');
});
