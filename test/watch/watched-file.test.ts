import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { filesState } from '../../src/watch/watch-files.ts';
import { WatchedValue, type WatchedValueOptions } from '../../src/watch/watched-file.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Logged {
  readonly event: string;
  readonly reason?: string;
}

const isSame = (text: string, previous: string) => text === previous;

/** Watches a file whose text is its value, unless that is `invalid`. */
function watch(options: Partial<WatchedValueOptions<string>> = {}) {
  const file = join(temporaryDirectory(), 'file');
  const lines: Logged[] = [];
  // Every line has an event.
  const append = (fields: object) => void lines.push(fields as Logged);
  let loads = 0;
  const load = () => {
    loads += 1;
    const text = readFileSync(file, 'utf8');
    if (text === 'invalid') throw new Error('is invalid');
    return text;
  };
  writeFileSync(file, 'first');
  const state = filesState(() => [file]);
  const value = new WatchedValue<string>(
    {
      ...{ name: 'clients', paths: [file], load, describe: (text) => ({ summary: text }), isSame },
      ...{ log: { info: append, warn: append, error: append }, intervalMilliseconds: 20, ...options },
    },
    { value: 'first', state },
  );
  onTestFinished(() => value.stop());
  const until = (event: string, count = 1) =>
    eventually(
      () => lines.filter((line) => line.event === event).length === count,
      () => JSON.stringify(lines),
    );
  return { file, value, lines, until, loads: () => loads };
}

describe('a watched value', () => {
  test('is replaced when its file changes, and stays while that is invalid or missing', async () => {
    const { file, value, lines, until } = watch();
    writeFileSync(file, 'invalid');
    await until('clients_reload_failed');
    expect([value.current, value.failures, value.problem]).toEqual(['first', 1, 'is invalid']);
    rmSync(file);
    await until('clients_reload_failed', 2);
    writeFileSync(file, 'second');
    await until('clients_reloaded');
    expect([value.current, value.failures, value.problem]).toEqual(['second', 2, undefined]);
    expect(lines.map(({ reason }) => reason)).toEqual(['is invalid', 'no such file or directory', undefined]);
  });

  test('is replaced by a change between its first load and the watch', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, 'first');
    const state = filesState(() => [file]);
    writeFileSync(file, 'second');
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const load = () => readFileSync(file, 'utf8');
    const value = new WatchedValue(
      {
        ...{ name: 'clients', paths: [file], load, describe: () => ({ summary: '' }), isSame },
        ...{ log, intervalMilliseconds: 20 },
      },
      { value: 'first', state },
    );
    onTestFinished(() => value.stop());
    await eventually(
      () => value.current === 'second',
      () => value.current,
    );
  });

  test('is loaded once for several requests, and not again for the change that they found', async () => {
    const { file, value, lines, loads } = watch();
    writeFileSync(file, 'second');
    await Promise.all([value.reload(), value.reload(), value.reload()]);
    expect([value.current, loads()]).toEqual(['second', 1]);
    await delay(100);
    expect([loads(), lines.length]).toEqual([1, 1]);
  });

  test('is not logged when a reload finds the same, unless it was invalid before', async () => {
    const { file, value, lines, until } = watch();
    expect(await value.reload()).toBe('unchanged');
    writeFileSync(file, 'first');
    expect(await value.reload()).toBe('unchanged');
    expect(lines).toEqual([]);
    writeFileSync(file, 'invalid');
    expect(await value.reload()).toBe('failed');
    writeFileSync(file, 'first');
    expect(await value.reload()).toBe('changed');
    await until('clients_reloaded');
  });

  test('stays if the new one cannot be put to use', async () => {
    const onReloaded = () => {
      throw new Error('OpenSSL rejects it');
    };
    const { file, value } = watch({ onReloaded });
    writeFileSync(file, 'second');
    await value.reload();
    expect([value.current, value.problem]).toEqual(['first', 'OpenSSL rejects it']);
  });

  test('is loaded again until a cause has passed that is in no file, which is logged once', async () => {
    let isValid = false;
    const load = () => {
      if (isValid) return 'second';
      throw new Error('is not valid yet');
    };
    const { value, lines, until } = watch({ load, repeats: true });
    await value.reload();
    await delay(300);
    isValid = true;
    await until('clients_reloaded');
    expect([value.current, value.failures, lines.length]).toEqual(['second', 1, 2]);
  });

  test('is neither replaced nor logged after it was stopped', async () => {
    const { file, value, lines } = watch();
    writeFileSync(file, 'second');
    const reloading = value.reload();
    await value.stop();
    await reloading;
    expect([value.current, lines]).toEqual(['first', []]);
  });
});
