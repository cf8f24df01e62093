import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The number of the only line of a source file with this text. */
function lineOf(file: string, text: string): number {
  const lines = readFileSync(join(repositoryRoot, file), 'utf8').split('\n');
  const numbers = lines.flatMap((line, index) => (line.includes(text) ? [index + 1] : []));
  const [number = 0] = numbers;
  expect(numbers, `${text} in ${file}`).toEqual([number]);
  return number;
}

test('an unexpected error of the built program points to the lines of the source', async () => {
  const file = join(temporaryDirectory(), 'certificate.pem');
  writeFileSync(file, selfSigned().pem);
  const bug = encodeURIComponent("console.log = () => { throw new Error('a bug'); };");
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${bug}` };
  const { code, stderr } = await runCountersign(['certificate', file], { env });
  const line = lineOf('src/commands/certificate.ts', 'await table(factRows(report))) console.log(line)');
  expect([code, stderr]).toEqual([1, expect.stringContaining('unexpected error Error: a bug')]);
  expect(stderr).toMatch(new RegExp(`printReport .*/src/commands/certificate\\.ts:${line}:\\d+`));
  expect(stderr).not.toMatch(/-[\w-]{8}\.js:/);
});
