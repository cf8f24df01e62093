import { expect, test } from 'vitest';
import { createLog, restoredLine } from '../../src/observability/log.ts';

test('a log line is one JSON object: level, time, the fields, and the message', () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line));
  log.info({ event: 'a', peer: undefined, names: ['x\n"y"', '\u{d800}'], count: 2 }, 'Zeile "1"\n');
  log.warn({ event: 'b' }, 'second');
  log.error({ event: 'c' }, 'third');
  expect(lines.map((line) => line.indexOf('\n') === line.length - 1)).toEqual([true, true, true]);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 'info', time, event: 'a', names: ['x\n"y"', '\u{d800}'], count: 2, message: 'Zeile "1"\n' },
    { level: 'warn', time, event: 'b', message: 'second' },
    { level: 'error', time, event: 'c', message: 'third' },
  ]);
  expect(Object.keys(JSON.parse(lines[0] ?? ''))).toEqual(['level', 'time', 'event', 'names', 'count', 'message']);
});

test('the time of a log line is that at which it is logged', () => {
  let time = Number.NaN;
  const log = createLog((line) => {
    time = Date.parse(JSON.parse(line).time);
  });
  for (let start = Date.now(), now = start; now < start + 5; now = Date.now()) {
    log.info({ event: 'a' }, 'now');
    expect(time).toBeGreaterThanOrEqual(now);
    expect(time).toBeLessThanOrEqual(Date.now());
  }
});

test('the line after an outage is valid JSON', () => {
  expect(JSON.parse(restoredLine('no space left on "device"', 3))).toMatchObject({
    level: 'warn',
    event: 'log_restored',
    reason: 'no space left on "device"',
    lost_lines: 3,
  });
});
