import { array, assert, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { SerialNumberSet } from '../../../src/pki/crl/serial-number-set.ts';

function setOf(serials: readonly Uint8Array[]): SerialNumberSet {
  const set = new SerialNumberSet(
    serials.length,
    serials.reduce((bytes, { length }) => bytes + length, 0),
  );
  for (const serial of serials) set.add(serial);
  return set;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
/** Short, with few distinct bytes, so that many are equal or similar. */
const serial = uint8Array({ minLength: 1, maxLength: 3, max: 3 });

test('a set of serial numbers contains exactly those that were added', () => {
  assert(
    property(array(serial, { maxLength: 200 }), array(serial), (added, queried) => {
      const [set, expected] = [setOf(added), new Set(added.map(hex))];
      expect(set.size).toBe(expected.size);
      for (const each of [...added, ...queried]) expect(set.has(each)).toBe(expected.has(hex(each)));
    }),
  );
});

test('an empty set of serial numbers contains none', () => {
  expect(setOf([]).has(Buffer.of(1))).toBe(false);
});

test('a set of serial numbers distinguishes leading and trailing zeros', () => {
  const set = setOf([Buffer.of(1, 2)]);
  expect([Buffer.of(1), Buffer.of(1, 2, 0), Buffer.of(0, 1, 2), Buffer.of(1, 2)].map((one) => set.has(one))).toEqual([
    false,
    false,
    false,
    true,
  ]);
});
