import { expect, test } from 'vitest';
import { createLog, jsonLine, logLevels } from '../../src/observability/log.ts';
import { LogOutput } from '../../src/observability/log-output.ts';
import { createLogs } from '../../src/observability/logs.ts';
import { prettyLine } from '../../src/observability/pretty-line.ts';

test.each([
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
] as const)('at level %s, events of the levels %j are logged', (level, expected) => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(JSON.parse(line).level), { level });
  for (const each of logLevels) log[each]({ event: 'a' }, 'message');
  expect(lines).toEqual(expected);
});

/** An output of which each write succeeds, or fails. */
function outputThat({ fails }: { readonly fails: boolean }): LogOutput {
  const write = ({ length }: Uint8Array) => {
    if (fails) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    return length;
  };
  return new LogOutput({ write, restoredLine: () => 'restored\n', onOutage: () => {} });
}

test.each([
  [[false], false, true],
  [[false, false], false, true],
  [[true], false, false],
  [[true, false], false, false],
  [[false, true], false, false],
  [[false], true, true],
] as const)(
  'with outputs of decisions that fail %j, and another one that fails %j, a decision is written: %j',
  async (decisions, other, expected) => {
    const [first, ...further] = decisions.map((fails) => outputThat({ fails }));
    if (!first) throw new Error('no output');
    const others = [outputThat({ fails: other })];
    const outputs = [first, ...further, ...others];
    const log = createLog((line) => {
      for (const output of outputs) output.append(line);
    });
    const logs = createLogs({ log, decisions: [first, ...further], others });
    logs.audit.info({ event: 'a' }, 'message');
    expect(await logs.written()).toBe(expected);
    expect(logs.problem === undefined).toBe(expected);
    logs.flush();
    expect(logs.lostLines).toBe([...decisions, other].filter(Boolean).length);
  },
);

test('a pretty line has the time, the level, the message and the fields that have a value', () => {
  const fields = { event: 'token_issued', client_id: 'a b', scope: undefined, status: 200, names: ['x'] };
  expect(prettyLine({ hasColors: false })('info', fields, 'token issued')).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} info {2}token issued event=token_issued client_id="a b" status=200 names=\["x"\]\n$/,
  );
});

test('a pretty line contains no control of a terminal and no line break, whatever the event contains', () => {
  const hostile = '\u{1b}[2J\n\u{202e}x\u{9b}';
  const line = prettyLine({ hasColors: false })('warn', { event: hostile, list: [hostile] }, hostile);
  expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  expect(JSON.parse(jsonLine('warn', { event: hostile }, hostile))).toMatchObject({ event: hostile });
});
