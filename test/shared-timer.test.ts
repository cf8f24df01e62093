import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { callAt, callEvery, nextMultiple } from '../src/shared-timer.ts';
import { eventually } from './support/eventually.ts';
import { repositoryRoot } from './support/repository-root.ts';

/** Keeps the process from doing anything else. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('calls with different intervals share the turns of the event loop in which both are due', async () => {
  let turn = 0;
  const turns = { often: [] as number[], rarely: [] as number[] };
  const record = (calls: number[]) => () => {
    calls.push(turn);
    // A microtask would run between two timers as well.
    setImmediate(() => turn++);
  };
  onTestFinished(callEvery(20, record(turns.often)));
  onTestFinished(callEvery(60, record(turns.rarely)));
  await eventually(
    () => turns.rarely.length >= 4,
    () => JSON.stringify(turns),
  );
  const shared = turns.rarely.filter((each) => turns.often.includes(each));
  expect(shared).toEqual(turns.rarely);
  expect(turns.often.length).toBeGreaterThan(turns.rarely.length);
});

test('calls that a busy process has missed are skipped', async () => {
  let calls = 0;
  onTestFinished(callEvery(50, () => calls++));
  block(400);
  await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toBeLessThanOrEqual(2);
});

test('calls are at least half an interval apart, even after a late one', async () => {
  const calledAt: number[] = [];
  onTestFinished(callEvery(200, () => calledAt.push(performance.now())));
  const nextAt = nextMultiple(200);
  await eventually(
    () => performance.now() > nextAt + 20 && performance.now() < nextMultiple(200) - 100,
    () => 'the machine is too busy',
  );
  const count = calledAt.length;
  // The next call is 150 ms late.
  block(nextMultiple(200) + 150 - performance.now());
  await eventually(
    () => calledAt.length >= count + 2,
    () => `${calledAt.length} calls`,
  );
  const [late = 0, next = 0] = calledAt.slice(count);
  expect(next - late).toBeGreaterThan(100 - 2);
});

test('a call that takes longer than the time until the next one causes no warning', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  const called: string[] = [];
  callAt(performance.now() + 10, () => block(50));
  callAt(performance.now() + 30, () => called.push('next'));
  await eventually(
    () => called.length > 0,
    () => 'nothing was called',
  );
  expect(warnings).toEqual([]);
});

test('nothing is called once it is cancelled, not even by another call that is due at the same time', async () => {
  const called: string[] = [];
  const dueAt = nextMultiple(30);
  callAt(dueAt, () => {
    called.push('first');
    cancelSecond();
  });
  const cancelSecond = callAt(dueAt, () => called.push('second'));
  const cancelThird = callAt(dueAt, () => called.push('third'));
  cancelThird();
  const end = callEvery(10, () => end());
  await eventually(
    () => called.length > 0,
    () => 'nothing was called',
  );
  await delay(20);
  expect(called).toEqual(['first']);
});

test('a call that is due sooner than those before it does not wait for them', async () => {
  const called: string[] = [];
  onTestFinished(callAt(performance.now() + 60_000, () => called.push('late')));
  callAt(performance.now() + 10, () => called.push('soon'));
  await eventually(
    () => called.length > 0,
    () => 'nothing was called',
  );
  expect(called).toEqual(['soon']);
});

test('a call that throws does not prevent those that are due with it, or later', async () => {
  const program = `
    const { callAt, callEvery, nextMultiple } = await import('./src/shared-timer.ts');
    let errors = 0;
    process.on('uncaughtException', () => errors++);
    callAt(nextMultiple(20), () => { throw new Error('expected'); });
    let calls = 0;
    callEvery(20, () => calls++);
    const end = setInterval(() => {
      if (errors === 0 || calls < 3) return;
      clearInterval(end);
      console.log('called');
    }, 5);
    setTimeout(() => process.exit(1), 10_000).unref();`;
  const args = ['--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: repositoryRoot });
  expect(stdout).toBe('called\n');
});

test.each([
  [1_000, 0, 1_000],
  [1_000, 999.5, 2_000],
  [1_000, 1_000, 2_000],
  [1_000 / 3, 1_000, 4_000 / 3],
])(
  'the next multiple of %d after %d is %d: never the one at which a timer fires early',
  (milliseconds, after, next) => {
    expect(nextMultiple(milliseconds, after)).toBeCloseTo(next, 6);
  },
);
