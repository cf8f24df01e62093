import { setImmediate as endOfTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LogOutput } from '../../src/observability/log-output.ts';

/** An output whose device the test controls. `accept` returns how many bytes a write accepts, or throws. */
function openOutput(accept: (bytes: Uint8Array) => number = ({ length }) => length) {
  const device = { accept, written: '', writes: 0, outages: [] as string[] };
  const output = new LogOutput({
    write: (bytes) => {
      const count = device.accept(bytes);
      device.written += Buffer.from(bytes.subarray(0, count)).toString('latin1');
      device.writes += 1;
      return count;
    },
    restoredLine: (reason, lostLines) => `restored: ${reason}, ${lostLines} lost\n`,
    onOutage: (problem) => device.outages.push(problem),
  });
  return { output, device };
}

function fail(code: string, text: string): never {
  throw Object.assign(new Error(`${code}: ${text}, write`), { code });
}
const diskFull = () => fail('ENOSPC', 'no space left on device');

test('the lines of one turn of the event loop are written at once, in their order', async () => {
  const { output, device } = openOutput();
  output.append('a\n');
  queueMicrotask(() => output.append('b\n'));
  const written = output.written();
  expect(device.written).toBe('');
  expect(await written).toBe(true);
  expect(device).toMatchObject({ written: 'a\nb\n', writes: 1 });
  output.append('c\n');
  await endOfTurn();
  expect(device).toMatchObject({ written: 'a\nb\nc\n', writes: 2 });
});

test('a turn with many lines does not accumulate them', () => {
  const { output, device } = openOutput();
  const line = `${'x'.repeat(999)}\n`;
  for (let lines = 1; lines <= 10_000; lines++) {
    output.append(line);
    expect(1_000 * lines - device.written.length).toBeLessThanOrEqual(65_536);
  }
  expect(device.writes).toBeLessThan(160);
});

test('flush writes the pending lines before the turn ends', () => {
  const { output, device } = openOutput();
  output.append('a\n');
  output.flush();
  output.flush();
  expect(device).toMatchObject({ written: 'a\n', writes: 1 });
});

test('a full pipe delays lines, and loses none', async () => {
  let attempts = 0;
  const { output, device } = openOutput(({ length }) => {
    attempts += 1;
    return attempts % 3 === 0 ? Math.min(length, 3) : fail('EAGAIN', 'resource temporarily unavailable');
  });
  output.append('first\n');
  output.append('zweite Zeile: für\n');
  expect(await output.written()).toBe(true);
  expect(Buffer.from(device.written, 'latin1').toString()).toBe('first\nzweite Zeile: für\n');
  expect([output.lostLines, device.outages]).toEqual([0, []]);
});

test('lines that cannot be written are lost and counted, and the problem is reported once', async () => {
  const { output, device } = openOutput(diskFull);
  output.append('a\n');
  output.append('b\n');
  expect(await output.written()).toBe(false);
  output.append('c\n');
  expect(await output.written()).toBe(false);
  expect(output.lostLines).toBe(3);
  expect(output.problem).toBe('the log cannot be written: no space left on device');
  expect(device.outages).toEqual([output.problem]);
});

test('after an outage, the number of lost lines is written before the next line', async () => {
  const { output, device } = openOutput(diskFull);
  output.append('a\n');
  await output.written();
  device.accept = ({ length }) => length;
  output.append('b\n');
  expect(await output.written()).toBe(true);
  expect(device.written).toBe('restored: no space left on device, 1 lost\nb\n');
  expect(output.problem).toBeUndefined();
});

test('after an outage, the line that was cut does not join with the next one', async () => {
  const { output, device } = openOutput();
  device.accept = () => (device.writes === 0 ? 4 : diskFull());
  output.append('a\n');
  output.append('bcd\n');
  output.append('e\n');
  expect(await output.written()).toBe(false);
  await endOfTurn();
  output.flush();
  device.accept = ({ length }) => length;
  output.append('f\n');
  expect(await output.written()).toBe(true);
  expect(device.written).toBe('a\nbc\nrestored: no space left on device, 2 lost\nf\n');
});

test('an output that recovers while nothing is logged is noticed', async () => {
  const { output, device } = openOutput(diskFull);
  output.append('a\n');
  await output.written();
  device.accept = ({ length }) => length;
  await expect.poll(() => output.problem, { timeout: 60_000 }).toBeUndefined();
  expect(device.written).toBe('restored: no space left on device, 1 lost\n');
});

test('decisions of a turn are reported as lost even if those after them are written', async () => {
  const { output, device } = openOutput(diskFull);
  output.append('a\n');
  const written = output.written();
  output.flush();
  device.accept = ({ length }) => length;
  output.append('b\n');
  expect(await written).toBe(false);
  expect(device.written).toBe('restored: no space left on device, 1 lost\nb\n');
});
