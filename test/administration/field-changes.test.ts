import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffFields } from '../../src/administration/field-changes.ts';
import type { Json } from '../../src/clients/json-value.ts';

/** As returned by JSON.parse; of few values, so that many are equal. */
const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>('a', 'b', 1, true, null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('x', 'y', 'z.[0]', '__proto__'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

/** With `__proto__` as an own member. */
const normal = (value: Json) => JSON.parse(JSON.stringify(value));

describe('the difference between two values', () => {
  test.each<[string, Json, Json, [string, Json | undefined, Json | undefined][]]>([
    ['of equal values', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
    ['of different order', { a: 1, b: 2 }, { b: 2, a: 1 }, []],
    ['with an added field', {}, { a: 1 }, [['a', undefined, 1]]],
    ['with a removed field', { a: 1 }, {}, [['a', 1, undefined]]],
    ['in a nested field', { a: { b: 1 } }, { a: { b: 2 } }, [['a.b', 1, 2]]],
    ['with an inserted first item', { a: [2, 3] }, { a: [1, 2, 3] }, [['a[0]', undefined, 1]]],
    ['with an inserted middle item', { a: [1, 3] }, { a: [1, 2, 3] }, [['a[1]', undefined, 2]]],
    ['with a removed first item', { a: [1, 2, 3] }, { a: [2, 3] }, [['a[0]', 1, undefined]]],
    ['in a field of an item', { a: [{ b: 1 }, { c: 1 }] }, { a: [{ b: 2 }, { c: 1 }] }, [['a[0].b', 1, 2]]],
    ['with one of two equal items removed', { a: [1, 1] }, { a: [1] }, [['a[1]', 1, undefined]]],
    ['of different types', { a: [1] }, { a: { 0: 1 } }, [['a', [1], { 0: 1 }]]],
    ['with an added empty list', {}, { a: [] }, [['a', undefined, []]]],
    ['in a name that looks like a path', { 'a.b[0]': 1 }, { 'a.b[0]': 2 }, [['"a.b[0]"', 1, 2]]],
    ['with an added __proto__', {}, JSON.parse('{"__proto__": 1}'), [['__proto__', undefined, 1]]],
  ])('%s is listed by field', (_, before, after, expected) => {
    expect(diffFields(before, after).map(({ field, ...change }) => [field, change.before, change.after])).toEqual(
      expected,
    );
  });

  test('is empty if and only if they are equal', () => {
    const isSame = (before: Json, after: Json) => isDeepStrictEqual(normal(before), normal(after));
    fc.assert(
      fc.property(json, json, (before, after) => {
        expect(diffFields(before, before)).toEqual([]);
        expect(diffFields(before, after).length === 0).toBe(isSame(before, after));
      }),
    );
  });

  test('lists each field once', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        const fields = diffFields(before, after).map(({ field }) => field);
        expect(new Set(fields).size).toBe(fields.length);
      }),
    );
  });
});
