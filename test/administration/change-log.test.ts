import { expect, test } from 'vitest';
import type { Change } from '../../src/administration/change.ts';
import { ChangeLog } from '../../src/administration/change-log.ts';

const change = (id: string, more: Partial<Change>): Change => ({
  kind: 'changed',
  type: 'client',
  id,
  expected: { type: 'none' },
  next: undefined,
  addedKeys: [],
  removedKeys: [],
  ...more,
});

test('a change log returns changes as they were added, including those larger than a chunk', () => {
  const changes = [
    change('a', { kind: 'added', next: '{"ä":"\\n"}', addedKeys: ['dn:x'] }),
    change('large', { next: 'ü'.repeat(3_000_000) }),
    change('b', { expected: { type: 'string', text: '\uFFFD{', bytes: Buffer.from([0xff, 0x7b, 0]) } }),
    change('larger', { expected: { type: 'string', text: 'x'.repeat(9_000_000) } }),
    change('c', { expected: { type: 'other', name: 'list' }, removedKeys: ['dn:x', 'dns:y'] }),
  ];
  const log = new ChangeLog();
  expect(changes.map((each) => log.add(each))).toEqual([0, 1, 2, 3, 4]);
  expect([...log.batches(2)].flat()).toEqual(changes);
  expect(log.at(2)).toEqual(changes[2]);
  expect(log.count).toBe(5);
  expect(() => log.at(5)).toThrow('no change 5');
});

test('sortFrom sorts the changes after a position, and keeps the order of those before', () => {
  const names = ['z', 'b', 'd', 'a', 'c'];
  const log = new ChangeLog();
  for (const name of names) log.add(change(name, { next: name.repeat(1_500_000) }));
  log.sortFrom(2);
  const sorted = ['z', 'b', 'a', 'c', 'd'].map((name) => change(name, { next: name.repeat(1_500_000) }));
  expect([...log.batches(2)].flat()).toEqual(sorted);
  log.sortFrom(5);
  expect(log.count).toBe(5);
});
