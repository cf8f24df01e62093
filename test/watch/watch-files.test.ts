import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { watchFiles } from '../../src/watch/watch-files.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Watches a file that is changed before each of the first checks, whenever those are. */
function watchFileChangedBefore(changedChecks: number) {
  const file = join(temporaryDirectory(), 'file');
  let checks = 0;
  /** The numbers of the checks that reported a change. */
  const reports: number[] = [];
  const list = () => {
    checks += 1;
    if (checks <= changedChecks) writeFileSync(file, 'x'.repeat(checks));
    return [file];
  };
  const { stop } = watchFiles({ list, onChange: () => void reports.push(checks), intervalMilliseconds: 20 });
  onTestFinished(stop);
  const untilCheck = (number: number) =>
    eventually(
      () => checks >= number,
      () => `${checks} checks`,
    );
  return { reports, untilCheck };
}

test('a changed file is reported once, after a check that finds it unchanged', async () => {
  const { reports, untilCheck } = watchFileChangedBefore(6);
  await untilCheck(16);
  expect(reports).toEqual([7]);
});

test('a file that changes before every check is reported at every tenth', async () => {
  const { reports, untilCheck } = watchFileChangedBefore(Number.POSITIVE_INFINITY);
  await untilCheck(22);
  expect(reports).toEqual([11, 21]);
});
