import { expect, test } from 'vitest';
import { reasonAreas, reasons } from '../../src/reasons/reasons.ts';
import { runCountersign } from '../support/countersign.ts';

test('a code is in one area of the table', () => {
  const codes = Object.values(reasonAreas).flatMap((area) => Object.keys(area));
  expect(codes.toSorted()).toEqual([...new Set(codes)].toSorted());
  expect(codes.toSorted()).toEqual(Object.keys(reasons).toSorted());
});

test('each text of the table is whole sentences that fit a terminal', () => {
  for (const [code, { meaning, cause, fix }] of Object.entries(reasons)) {
    expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    for (const text of [meaning, cause, fix]) expect(text, code).toMatch(/^(?:[A-Z]|[a-z]+_[a-z]+ ).*\.$/);
    expect(meaning.length, code).toBeLessThan(200);
  }
});

test('rejections prints the meaning, the cause and the fix of a code, in any case', async () => {
  const { code, stdout } = await runCountersign(['rejections', 'CERTIFICATE_EXPIRED']);
  expect([code, stdout]).toEqual([0, expect.stringContaining(reasons.certificate_expired.meaning)]);
  expect(stdout).toMatch(/^Cause\n(?: {2}.*\n)+\nFix\n(?: {2}.*\n)+\nResponse\n {2}invalid_client$/m);
});

test('rejections lists every code within 80 columns', async () => {
  const { code, stdout } = await runCountersign(['rejections']);
  const lines = stdout.split('\n');
  expect(code).toBe(0);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(Object.keys(reasons).filter((each) => !lines.includes(`  ${each}`))).toEqual([]);
});

test('rejections --output json has the same content', async () => {
  const { stdout } = await runCountersign(['rejections', '--output', 'json']);
  const { rejections } = JSON.parse(stdout);
  expect(rejections.map(({ code }: { code: string }) => code).toSorted()).toEqual(Object.keys(reasons).toSorted());
});

test('rejections suggests the code that was meant', async () => {
  const { code, stderr } = await runCountersign(['rejections', 'certificate_expird']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean certificate_expired?')]);
});
