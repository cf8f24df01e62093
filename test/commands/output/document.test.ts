import fc from 'fast-check';
import { parse as parseJson } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseLine, parseRecords } from '../../../src/clients/files/parse-records.ts';
import { documentText, jsonText, yamlText } from '../../../src/commands/output/document.ts';
import { printable } from '../../../src/text.ts';

/** Texts with terminal controls, and texts that YAML parses as other types. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '\u001b',
      '\u009b',
      '\u202e',
      '\u200b',
      '\u{e0041}',
      '\n',
      '\r',
      '\u2028',
      '\0',
      '\\',
      '"',
      ':',
      '#',
      ' ',
      'a',
    ),
  }),
  fc.constantFrom(
    'no',
    'null',
    '1e3',
    '0x1f',
    '2027-01-31',
    '~',
    '- a',
    '',
    ' a ',
    '*',
    '&a',
    '%',
    '@',
    '`',
    '<<',
    '=',
    '---',
    '...',
  ),
);
/** Without the one name that jsonc-parser, with which the test reads, does not read as a field. */
const fieldNames = hostile.filter((name) => name !== '__proto__');
const values = fc.oneof(
  hostile,
  fc.array(hostile, { maxLength: 3 }),
  fc.dictionary(
    fieldNames,
    fc.oneof(
      hostile,
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number || 0),
      fc.boolean(),
      fc.constant(null),
    ),
    { noNullPrototype: true },
  ),
);
const controls = /(?![\n\t])\p{Cc}|[\p{Cf}\p{Zl}\p{Zp}]/u;
/** Not by JSON.parse: after an object with the name of a backslash, that of Node.js 26.10 misreads names that are escapes. */
const asJson = (value: unknown) => structuredClone(value);

test('jsonText and yamlText preserve any value, and escape terminal controls', () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(parseJson(jsonText(value))).toEqual(asJson(value));
      expect(parse(yamlText([value]))).toEqual(asJson([value]));
      expect(parse(yamlText([value]), { version: '1.1' })).toEqual(asJson([value]));
      for (const text of [jsonText(value), yamlText([value])]) expect(text).not.toMatch(controls);
    }),
    { numRuns: 2_000 },
  );
});

test('jsonText and yamlText write records that the server parses to the same values', () => {
  const lines = fc
    .array(
      fc.constantFrom('\n', ' ', '\t', ': ', '# ', '\\', '"', '- ', '\u202e', 'word '.repeat(12), 'x'.repeat(1100)),
    )
    .map((pieces) => pieces.join(''));
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number || 0);
  const records = fc.dictionary(fieldNames, fc.oneof(values, lines, numbers, fc.maxSafeInteger()), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(records, (record) => {
      const read = (path: string, text: string) => parseRecords(path, text).records.map(({ value }) => value);
      expect(read('clients.yaml', yamlText([record]))).toEqual([asJson(record)]);
      // The server reads JSON with JSON.parse.
      if (jsonText(record).includes('\\\\')) return;
      expect(read('clients.json', jsonText([record]))).toEqual([asJson(record)]);
      expect(parseLine('clients.jsonl', jsonText(record), 1)?.value).toEqual(asJson(record));
    }),
    { numRuns: 2_000 },
  );
});

test.each([' \n', '\n a\n', 'a\n\n', '\tb\n c', `---\n \n${'word '.repeat(20)}\u202e`])(
  'yamlText preserves %j',
  (text) => {
    expect(parse(yamlText([{ text }]))).toEqual([{ text }]);
  },
);

/** Texts that YAML 1.1 tools parse as other types. */
const ambiguousTexts = [
  'yes',
  'No',
  'on',
  'OFF',
  'y',
  'N',
  '012',
  '1_000',
  '1:30',
  '-190:20:30.5',
  '0b1',
  '2027-01-31',
  '<<',
];

test.each(ambiguousTexts)('yamlText quotes %s for YAML 1.1 tools, as a value and as a key', (text) => {
  expect(yamlText({ [text]: text })).toBe(`"${text}": "${text}"\n`);
});

test.each(['json', 'yaml'] as const)(
  'documentText in %s is valid for a list of any length and further fields',
  async (format) => {
    const items = fc.array(fc.record({ a: hostile, b: fc.array(hostile, { maxLength: 2 }) }), { maxLength: 4 });
    const read = (text: string) => (format === 'json' ? parseJson(text) : parse(text));
    const rest = { count: 1, names: ['a', '# b'] };
    await fc.assert(
      fc.asyncProperty(items, fc.boolean(), async (list, hasRest) => {
        let text = '';
        for await (const part of documentText(format, { items: list }, () => (hasRest ? rest : {}))) text += part;
        expect(read(text)).toEqual(asJson({ items: list, ...(hasRest && rest) }));
      }),
      { numRuns: 300 },
    );
  },
);

test.each([
  ['a ü 漢', 'a ü 漢'],
  ['\u001b[2J', '\\u{1b}[2J'],
  ['a\nb\t', 'a\\u{a}b\\u{9}'],
  ['\u202eb\u{e0041}', '\\u{202e}b\\u{e0041}'],
  ['\ud800', '\\u{d800}'],
])('printable escapes %j as %s', (text, expected) => {
  expect(printable(text)).toBe(expected);
});
