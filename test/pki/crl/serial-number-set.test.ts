import { array, assert, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { SerialNumberSet } from '../../../src/pki/crl/serial-number-set.ts';

function setOf(serials: readonly Uint8Array[]): SerialNumberSet {
  const set = new SerialNumberSet(
    serials.length,
    serials.reduce((octets, { length }) => octets + length, 0),
  );
  for (const serial of serials) set.add(serial);
  return set;
}

const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
/** Few octets, so that many are alike or nearly so. */
const serial = uint8Array({ minLength: 1, maxLength: 3, max: 3 });

test('it holds what was added, and nothing else', () => {
  assert(
    property(array(serial, { maxLength: 200 }), array(serial), (added, asked) => {
      const [set, truth] = [setOf(added), new Set(added.map(hex))];
      expect(set.size).toBe(truth.size);
      for (const one of [...added, ...asked]) expect(set.has(one)).toBe(truth.has(hex(one)));
    }),
  );
});

test('an empty one holds nothing', () => {
  expect(setOf([]).has(Buffer.of(1))).toBe(false);
});

test('a number is another with a zero before it, or behind it', () => {
  const set = setOf([Buffer.of(1, 2)]);
  expect([Buffer.of(1), Buffer.of(1, 2, 0), Buffer.of(0, 1, 2), Buffer.of(1, 2)].map((one) => set.has(one))).toEqual([
    false,
    false,
    false,
    true,
  ]);
});
