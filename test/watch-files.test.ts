import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { watchFiles } from '../src/watch-files.ts';
import { eventually } from './support/eventually.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

function watched() {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '0');
  let changes = 0;
  const onChange = () => {
    changes += 1;
  };
  const { stop } = watchFiles({ list: () => [file], onChange, intervalMilliseconds: 50 });
  onTestFinished(stop);
  return { write: (text: string) => writeFileSync(file, text), changes: () => changes };
}

test('a file is told to have changed once it rests', async () => {
  const { write, changes } = watched();
  for (let times = 1; times <= 5; times += 1) {
    write(`${times}`);
    await delay(20);
  }
  expect(changes()).toBe(0);
  await eventually(
    () => changes() === 1,
    () => `${changes()}`,
  );
  await delay(200);
  expect(changes()).toBe(1);
});

test('one that never rests is told now and then', async () => {
  const { write, changes } = watched();
  const writing = setInterval(() => write(`${performance.now()}`), 5);
  onTestFinished(() => clearInterval(writing));
  await eventually(
    () => changes() === 2,
    () => `${changes()}`,
  );
});
