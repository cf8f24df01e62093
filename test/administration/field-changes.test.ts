import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffFields } from '../../src/administration/change.ts';
import type { Json } from '../../src/clients/json-value.ts';

/** As it comes out of JSON.parse; few values, so that many are alike. */
const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>('a', 'b', 1, true, null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('x', 'y', 'z.[0]', '__proto__'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

/** With `__proto__` as a member of the kind that is compared. */
const normal = (value: Json) => JSON.parse(JSON.stringify(value));

describe('the difference of two values', () => {
  test.each<[string, Json, Json, [string, Json | undefined, Json | undefined][]]>([
    ['none', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
    ['the order of names', { a: 1, b: 2 }, { b: 2, a: 1 }, []],
    ['a field more', {}, { a: 1 }, [['a', undefined, 1]]],
    ['a field less', { a: 1 }, {}, [['a', 1, undefined]]],
    ['a field of a field', { a: { b: 1 } }, { a: { b: 2 } }, [['a.b', 1, 2]]],
    ['an item before others', { a: [2, 3] }, { a: [1, 2, 3] }, [['a[0]', undefined, 1]]],
    ['an item between others', { a: [1, 3] }, { a: [1, 2, 3] }, [['a[1]', undefined, 2]]],
    ['the first item less', { a: [1, 2, 3] }, { a: [2, 3] }, [['a[0]', 1, undefined]]],
    ['a field of an item', { a: [{ b: 1 }, { c: 1 }] }, { a: [{ b: 2 }, { c: 1 }] }, [['a[0].b', 1, 2]]],
    ['one of two alike', { a: [1, 1] }, { a: [1] }, [['a[1]', 1, undefined]]],
    ['another kind', { a: [1] }, { a: { 0: 1 } }, [['a', [1], { 0: 1 }]]],
    ['an empty list', {}, { a: [] }, [['a', undefined, []]]],
    ['a name like a path', { 'a.b[0]': 1 }, { 'a.b[0]': 2 }, [['"a.b[0]"', 1, 2]]],
    ['a name of the prototype', {}, JSON.parse('{"__proto__": 1}'), [['__proto__', undefined, 1]]],
  ])('%s', (_, before, after, expected) => {
    expect(diffFields(before, after).map(({ field, ...change }) => [field, change.before, change.after])).toEqual(
      expected,
    );
  });

  test('is empty where they are equal, and only there', () => {
    const isSame = (before: Json, after: Json) => isDeepStrictEqual(normal(before), normal(after));
    fc.assert(
      fc.property(json, json, (before, after) => {
        expect(diffFields(before, before)).toEqual([]);
        expect(diffFields(before, after).length === 0).toBe(isSame(before, after));
      }),
    );
  });

  test('names no field twice', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        const fields = diffFields(before, after).map(({ field }) => field);
        expect(new Set(fields).size).toBe(fields.length);
      }),
    );
  });
});
