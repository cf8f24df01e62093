import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ImportError } from '../../../src/administration/import/draft.ts';
import { jsonIn, parseLenientJson } from '../../../src/administration/import/lenient-json.ts';

describe('JSON in the dialect of .NET configuration files', () => {
  test.each<[string, string, unknown]>([
    ['a byte order mark', '\uFEFF{"a": 1}', { a: 1 }],
    ['a comment at the end of a line', '{"a": 1 // "b": 2\n}', { a: 1 }],
    ['a comment at the end of the file', '[] // ]', []],
    ['a comment with a bracket after a comma', '[1, // ]\n2]', [1, 2]],
    ['a comment that spans lines', '/* [ */ [1 /* , 2\n ] **/ ]', [1]],
    ['a trailing comma', '{"a": [1, 2 , ], }', { a: [1, 2] }],
    ['a trailing comma and a comment', '[1, /* no more */ // really\n ]', [1]],
    ['comment delimiters in strings', '["// /* */ ,]", "\\"//", "\\\\"]', ['// /* */ ,]', '"//', '\\']],
    ['a scalar at the top level', '"a"', 'a'],
    ['64 levels', `${'['.repeat(64)}${']'.repeat(64)}`, JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`)],
  ])('is accepted with %s', (_, text, value) => {
    expect(parseLenientJson(text)).toEqual(value);
  });

  test.each<[string, string]>([
    ['no value', ''],
    ['two consecutive commas', '[1,,]'],
    ['a second value', '[[],]['],
    ['an unterminated comment', '[1 /* ]'],
    ['an unterminated string', '["a]'],
    ['a string that ends with an escaped quotation mark', '["a\\"]'],
    ['a single slash', '[1 / 2]'],
    ['an unquoted key', '{a: 1}'],
    ['a duplicate key', '{"a": 1, "a": 2}'],
    ['a number that is not exactly representable', '[12345678901234567890]'],
    ['65 levels', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['a million levels', '['.repeat(1_000_000)],
  ])('is rejected with %s', (_, text) => {
    expect(() => parseLenientJson(text)).toThrow(ImportError);
    expect(jsonIn(text)).toBeUndefined();
  });

  test('has numbers as written on request, where JavaScript writes them otherwise', () => {
    const text = '[1.50, 1.5, 60.0, 1e3, -0, 12345678901234567890, 7, "1.50"]';
    expect(parseLenientJson(text, 'as written')).toEqual([
      '1.50',
      1.5,
      '60.0',
      '1e3',
      '-0',
      '12345678901234567890',
      7,
      '1.50',
    ]);
    expect(() => parseLenientJson('[01, 1., .5]', 'as written')).toThrow(ImportError);
  });

  test('reports a text that is not JSON as such', () => {
    expect(() => parseLenientJson('Clients: []')).toThrow('the text does not start with a JSON value');
  });

  test('reports the line and column of an error', () => {
    expect(() => parseLenientJson('{ /* one\n two */ // three\n  "a": 1,\n  b\n}')).toThrow(
      'line 4, column 3: invalid JSON: a name must be in double quotes',
    );
  });

  test('is parsed as JSON with any white space and comments between tokens', () => {
    const between = fc.constantFrom('', ' ', '\n', '// ], }\n', '/* , ] */', ' /* // */ // "\n\t');
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.array(between, { minLength: 1 }), (value, fillers) => {
        let count = 0;
        const filler = () => fillers[count++ % fillers.length] ?? '';
        const text = JSON.stringify(value).replaceAll(
          /"(?:[^"\\]|\\.)*"|[[\]{},:]/g,
          (token) => `${filler()}${token}${filler()}`,
        );
        expect(parseLenientJson(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('takes time in proportion to its length', () => {
    const started = process.threadCpuUsage();
    expect(jsonIn(`["${'\\"'.repeat(2_000_000)}`)).toBeUndefined();
    expect(jsonIn(`[${'1, '.repeat(500_000)}`)).toBeUndefined();
    const { user, system } = process.threadCpuUsage(started);
    expect((user + system) / 1000).toBeLessThan(5_000);
  });
});
