import { hash } from 'node:crypto';
import { array, assert, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RevocationTable } from '../../../src/tokens/revocation/revocation-table.ts';

const NOW = 1_800_000_000;
const digest = (value: number) => hash('sha256', String(value), 'buffer');
/** In one shard, and in slots that are close to each other. */
const similarDigest = (value: number) => Buffer.from([7, 0, 0, 0, 0, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0]);

describe('a table of revocations', () => {
  test('has the latest cut-off of each revocation that was added', () => {
    const added = record({ value: integer({ min: 0, max: 60 }), before: integer({ min: 0, max: 5 }) });
    assert(
      property(array(added, { maxLength: 300 }), (revocations) => {
        for (const digestOf of [digest, similarDigest]) {
          const table = new RevocationTable(1_000);
          const expected = new Map<number, number>();
          for (const { value, before } of revocations) {
            expect(table.add(digestOf(value), before, NOW + 60, NOW)).toBe(true);
            expected.set(value, Math.max(before, expected.get(value) ?? 0));
          }
          expect(table.size).toBe(expected.size);
          for (let value = 0; value <= 61; value += 1) expect(table.find(digestOf(value))).toBe(expected.get(value));
        }
      }),
    );
  });

  test('keeps each revocation until it has expired, and none for longer than a sweep of all shards', () => {
    const table = new RevocationTable(10_000);
    for (let value = 0; value < 2_000; value += 1) table.add(digest(value), 0, NOW + 1 + value, NOW);
    for (const passed of [500, 1_000, 2_000]) {
      for (let sweeps = 0; sweeps < 256; sweeps += 1) table.sweep(NOW + passed);
      expect(table.size).toBe(2_000 - passed);
      const known = Array.from({ length: 2_000 }, (_, value) => table.find(digest(value)) !== undefined);
      expect(known.indexOf(true)).toBe(passed === 2_000 ? -1 : passed);
    }
  });

  test('does not accept what has expired', () => {
    const table = new RevocationTable(10);
    expect(table.add(digest(1), 0, NOW, NOW)).toBe(true);
    expect(table.add(digest(2), 0, 0, NOW)).toBe(true);
    expect([table.size, table.find(digest(1)), table.find(digest(2))]).toEqual([0, undefined, undefined]);
  });

  test('extends what it has when it is full, and rejects what it has not', () => {
    const table = new RevocationTable(2);
    expect([1, 2, 3].map((value) => table.add(digest(value), 5, NOW + 60, NOW))).toEqual([true, true, false]);
    expect(table.add(digest(1), 6, NOW + 90, NOW)).toBe(true);
    expect([1, 2, 3].map((value) => table.find(digest(value)))).toEqual([6, 5, undefined]);
    for (let sweeps = 0; sweeps < 256; sweeps += 1) table.sweep(NOW + 60);
    expect([table.size, table.find(digest(1))]).toEqual([1, 6]);
    expect(table.add(digest(3), 5, NOW + 90, NOW + 60)).toBe(true);
  });

  test('changes its generation with its content', () => {
    const table = new RevocationTable(10);
    const generations = [
      table.generation,
      ...[[5, 60] as const, [5, 60] as const, [4, 50] as const, [6, 60] as const, [6, 61] as const].map(
        ([before, lifetime]) => {
          table.add(digest(1), before, NOW + lifetime, NOW);
          return table.generation;
        },
      ),
    ];
    expect(generations.map((each) => each - (generations[0] ?? 0))).toEqual([0, 1, 1, 1, 2, 3]);
  });

  test('takes at most 64 bytes for each of many revocations, whatever their number', () => {
    const table = new RevocationTable(1_000_000);
    for (let count = 1; count <= 60_000; count += 1) {
      table.add(digest(count), 0, NOW + 60, NOW);
      if (count >= 10_000 && count % 1_000 === 0) expect(table.bytes / count).toBeLessThanOrEqual(64);
    }
    expect(table.size).toBe(60_000);
  });
});
