import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientsFileError, parseLine, parseRecords } from '../../../src/clients/files/parse-records.ts';
import { parseJson } from '../../../src/clients/strict-json.ts';
import { withLine } from '../../support/with-line.ts';

const values = (path: string, text: string) => parseRecords(path, text).records.map(({ value }) => value);

describe('parseRecords', () => {
  test.each([
    ['clients.yaml', '- client_id: a\n- client_id: b'],
    ['clients.yaml', '[{client_id: a}, {client_id: b}]'],
    ['clients.json', '{"clients": [{"client_id": "a"}, {"client_id": "b"}]}'],
    ['clients.json', '{"$schema": "clients.schema.json", "clients": [{"client_id": "a"}, {"client_id": "b"}]}'],
    ['clients.yaml', 'clients: [{client_id: a}, {client_id: b}]\n$schema: clients.schema.json'],
  ])('parses %s: %j', (path, text) => {
    expect(values(path, text)).toEqual([{ client_id: 'a' }, { client_id: 'b' }]);
  });

  test('parseLine returns the line of a record, and states it in errors', () => {
    expect(parseLine('a.jsonl', ' {"client_id":"a"}\r', 2)).toEqual({
      type: 'client',
      number: 2,
      value: { client_id: 'a' },
      span: { offset: 1, end: 19 },
      start: { line: 2, column: 2 },
    });
    expect(parseLine('a.jsonl', ' \r', 2)).toBeUndefined();
    expect(() => parseLine('a.jsonl', '{"client_id"', 2)).toThrow('invalid JSON');
    const duplicate = { message: 'duplicate key "client_id"', position: { line: 2, column: 18 } };
    expect(() => parseLine('a.jsonl', '{"client_id":"a","client_id":"a"}', 2)).toThrow(
      expect.objectContaining(duplicate),
    );
  });

  test.each([
    ['clients.json', '[{"client_id": "a"},]', 'invalid JSON: a comma before ]'],
    ['clients.json', '[{"enabled": false, "enabled": true}]', 'duplicate key'],
    ['clients.yaml', '[{"client_id": "a", "client_id": "b"}]', 'duplicate key'],
    ['clients.yaml', 'clients: {}', 'expected a list'],
    ['clients.json', '{"$schema": 1, "clients": []}', '"$schema" must be a string'],
    ['clients.json', '{"$schema": "clients.schema.json"}', 'expected a list'],
    ['clients.json', '{"$schema": "clients.schema.json", "clients": [], "more": 1}', 'unknown field "more"'],
    ['clients.yaml', 'clients: []\nmore: 1\nother: 2', 'unknown field "more", "other"'],
    ['clients.yaml', 'clients: {}\nmore: 1', 'expected a list'],
    ['clients.yaml', '- client_id: !secret a', 'the tag !secret is not supported'],
  ])('rejects %s: %j', (path, text, message) => {
    expect(() => parseRecords(path, text)).toThrow(ClientsFileError);
    expect(() => parseRecords(path, text)).toThrow(message);
  });
});

/** Each of these puts the text into line 3. */
const inYaml = (text: string) =>
  withLine(() => parseRecords('clients.yaml', `- client_id: a\n  claims:\n    ${text}\n`).records);
const inJson = (text: string) =>
  withLine(() => parseRecords('clients.json', `[{"client_id": "a",\n"claims":\n${text}}]`).records);
const inJsonLines = (text: string) =>
  withLine(() => parseLine('clients.jsonl', `{"client_id":"a","claims":${text}}`, 3));

describe('YAML keys that become the same string', () => {
  test.each([
    ['{1: x, "1": y}', 'duplicate key "1"'],
    ['{true: x, "true": y}', 'duplicate key "true"'],
    ['{0x10: x, "16": y}', 'duplicate key "16"'],
    ['{a: [{1.0: x, "1": y}]}', 'duplicate key "1"'],
    ['{&e enabled: false, *e : true}', 'duplicate key "enabled"'],
    ['{x: &e enabled, *e : false, enabled: true}', 'duplicate key "enabled"'],
    ['{x: &e 1, *e : false, "1": true}', 'duplicate key "1"'],
  ])('are rejected: %s', (text, message) => {
    expect(inYaml(text)).toThrow(`line 3: ${message}`);
  });

  test.each<[string, unknown]>([
    ['{1: x, "2": y}', { 1: 'x', 2: 'y' }],
    ['{a: {1: x}, b: {"1": y}}', { a: { 1: 'x' }, b: { 1: 'y' } }],
    ['{x: &e enabled, *e : false}', { x: 'enabled', enabled: false }],
    ['{x: &l [1], y: *l}', { x: [1], y: [1] }],
  ])('do not include %s', (text, claims) => {
    expect(inYaml(text)()).toMatchObject([{ type: 'client', number: 1, value: { client_id: 'a', claims } }]);
  });
});

describe('a YAML file of several documents', () => {
  test.each([
    ['---\n- client_id: a\n---\n- client_id: b\n', 3],
    ['- client_id: a\n---\n', 2],
    ['- client_id: a\n...\n---\n[', 3],
  ])('is rejected with its line: %j', (text, line) => {
    const message = `line ${line}: a second document starts here (---): write all clients in one list`;
    expect(withLine(() => parseRecords('clients.yaml', text))).toThrow(message);
  });

  test.each(['---\n- client_id: a\n', '%YAML 1.2\n---\n- client_id: a\n...\n'])('does not include %j', (text) => {
    expect(values('clients.yaml', text)).toEqual([{ client_id: 'a' }]);
  });
});

describe('YAML that JSON cannot represent', () => {
  test.each([
    ['{? [a, b] : x}', 'a key must be a string'],
    ['{? {a: b} : x}', 'a key must be a string'],
    ['{~: x}', 'a key must be a string'],
    ['{x: &l [1], *l : 1}', 'a key must be a string'],
    ['{<<: {a: 1}, b: 2}', 'merge keys (<<) are not supported'],
    ['{x: &m {a: 1}, y: {<<: *m}}', 'merge keys (<<) are not supported'],
    ['{!!merge "<<": {a: 1}}', 'merge keys (<<) are not supported'],
    ['!!set {a, b}', 'the tag tag:yaml.org,2002:set is not supported'],
    ['!!omap [a: 1]', 'the tag tag:yaml.org,2002:omap is not supported'],
    ['[!!timestamp 2027-01-31]', '2027-01-31 is not a string; put it in quotes'],
    ['[!!binary aGk=]', 'aGk= is not a string; put it in quotes'],
  ])('is rejected: %s', (text, message) => {
    expect(inYaml(text)).toThrow(`line 3: ${message}`);
  });

  test.each<[string, unknown]>([
    ['{"<<": x}', { '<<': 'x' }],
    ['!!map {a: !!seq [!!str 1]}', { a: ['1'] }],
  ])('does not include %s', (text, claims) => {
    expect(inYaml(text)()).toMatchObject([{ type: 'client', number: 1, value: { client_id: 'a', claims } }]);
  });

  test('is also rejected in a file with a YAML 1.1 directive', () => {
    const parse = (text: string) => withLine(() => parseRecords('clients.yaml', `%YAML 1.1\n---\n- ${text}`).records);
    expect(parse('{<<: {client_id: a}}')).toThrow('line 3: merge keys');
    expect(parse('{client_id: a, not_before: 2027-01-31}')).toThrow('line 3: 2027-01-31 is not a string');
    expect(parse('{client_id: a, enabled: no}')()).toMatchObject([
      { type: 'client', number: 1, value: { client_id: 'a', enabled: false } },
    ]);
  });
});

describe('a number', () => {
  const lossMessage = (number: string, read: string) =>
    `line 3: the number ${number} would be parsed as ${read}; put it in quotes`;

  test.each([
    ['12345678901234567890', '12345678901234567000'],
    ['-9007199254740993', '-9007199254740992'],
    ['1152921504606846976', '1152921504606847000'],
    ['9007199254740993.0', '9007199254740992'],
    ['1234567890123456789e1', '12345678901234567000'],
    ['1e400', 'Infinity'],
    ['-1e400', '-Infinity'],
    ['1e-400', '0'],
    ['0.99999999999999999999', '1'],
  ])('that would change its value is rejected: %s', (number, read) => {
    for (const parse of [inYaml, inJson, inJsonLines]) {
      for (const text of [`{"id": ${number}}`, `[[1, {"a:\\"-": [${number}]}]]`])
        expect(parse(text), text).toThrow(lossMessage(number, read));
    }
  });

  test.each(['0x20000000000001', '0o400000000000000001', '{12345678901234567890: x}', '!!int "9007199254740993"'])(
    'that would change its value is rejected in YAML: %s',
    (text) => {
      expect(inYaml(text)).toThrow(/line 3: the number \w+ would be parsed as \d+; put it in quotes/);
    },
  );

  test.each([
    ...[
      '0',
      '-0',
      '1',
      '-1',
      '100',
      '1.5',
      '0.5',
      '1e3',
      '1.0e+16',
      '1e2',
      '1E+2',
      '0.1e1',
      '9007199254740991',
      '-9007199254740991',
      '1e21',
      '1e300',
    ],
    ...['12345678901234567000', '0.1', '3.14159265358979323846', '1.5e-7', '9007199254740993e-3'],
    '"12345678901234567890"',
    '"1e400 \\" 1e400"',
  ])('that keeps its value is accepted: %s', (text) => {
    for (const parse of [inYaml, inJson, inJsonLines])
      expect([parse(` [ ${text} ] `)()].flat()).toMatchObject([{ value: { claims: [JSON.parse(text)] } }]);
  });

  test.each([
    ['012', '12'],
    ['-012', '-12'],
    ['00', '0'],
    ['+1', '1'],
    ['1.10', '1.1'],
    ['1.0', '1'],
    ['-0.50', '-0.5'],
    ['1.', '1'],
    ['.5', '0.5'],
    ['0x10', '16'],
    ['0o17', '15'],
    ['01e3', '1000'],
  ])('that would lose its notation is rejected in YAML: %s', (number, read) => {
    const message = `line 3: the number ${number} would be parsed as ${read}; write that, or put it in quotes`;
    for (const text of [`{t: ${number}}`, `[a, [${number}]]`, `{${number}: t}`])
      expect(inYaml(text), text).toThrow(message);
    expect(inYaml(`{t: "${number}"}`)()).toMatchObject([{ value: { claims: { t: number } } }]);
  });

  test.each(['.inf', '-.Inf', '.nan'])('that JSON cannot represent is rejected in YAML: %s', (number) => {
    expect(inYaml(`{t: ${number}}`)).toThrow(
      /^line 3: the number \S+ would be parsed as (?:-?Infinity|NaN); put it in quotes/,
    );
  });

  test.each(['1_000', '1:30', '2027-01-31', '1.2.3', '0b1'])('is not this string of YAML: %s', (text) => {
    expect(inYaml(`{t: ${text}}`)()).toMatchObject([{ value: { claims: { t: text } } }]);
  });

  test.each(['1_000', '1:30', '0b1'])('of YAML 1.1 is rejected in a file with that directive: %s', (text) => {
    expect(withLine(() => parseRecords('clients.yaml', `%YAML 1.1\n---\n- ${text}`))).toThrow('line 3: the number');
  });

  test.each(['1.10', '1.0'])('of JSON may end in a zero: %s', (text) => {
    for (const parse of [inJson, inJsonLines])
      expect([parse(text)()].flat()).toMatchObject([{ value: { claims: Number(text) } }]);
  });

  test('is accepted exactly if it is a safe double, or an integer that keeps its value', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const text = Object.is(number, -0) ? '-0' : String(number);
        expect(inJson(`[${text}]`)()).toMatchObject([{ value: { claims: [number] } }]);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 69n), max: 2n ** 69n }), (integer) => {
        const isSame = String(Number(integer)) === String(integer);
        if (isSame) expect(inJson(`[${integer}]`)()).toMatchObject([{ value: { claims: [Number(integer)] } }]);
        else expect(inJson(`[${integer}]`)).toThrow('put it in quotes');
      }),
    );
  });

  test('of any length is abbreviated in errors', () => {
    const zeros = '0'.repeat(1_000_000);
    expect(inJson(`[1${zeros}1]`)).toThrow(lossMessage(`1${zeros.slice(0, 39)}…`, 'Infinity'));
    expect(inJson(`[0.${zeros}1]`)).toThrow(lossMessage(`0.${zeros.slice(0, 38)}…`, '0'));
  });
});

describe('parseJson', () => {
  test.each(['"a"', '"a:b"', '1', 'null', '[]', '{}', '{"a": ":\\"", "b\\\\": [{"a": 1}]}', '[null, {"a": null}]'])(
    'parses %s',
    (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    },
  );

  test.each([
    ['{"a":1,\n"a":1}', 2, 'a', 1],
    ['[{"b":{"a":1, "\\u0061":2}}]', 1, 'a', 15],
    ['{"__proto__":1,"__proto__":2}', 1, '__proto__', 16],
    ['[{"a":{"a":["a"]},"b":{"a":"a\\":"}},\n{"x":":", "a\\"":1,\n "a\\"":2}]', 3, 'a"', 2],
  ])('rejects %s with line and column', (text, line, name, column) => {
    const message = `duplicate key ${JSON.stringify(name)}`;
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ position: { line, column }, message }));
  });

  test.each([
    ['[1,\n2,]', 2, 3, 'a comma before ]'],
    ['[ // c\n1]', 1, 3, 'a comment, which JSON does not allow'],
    ['[true,\n trux]', 2, 5, 'a word without quotation marks'],
    ['[tru]', 1, 5, 'a word without quotation marks'],
    ['[nul\n,', 1, 5, 'a word without quotation marks'],
    ['\u00a0[]', 1, 1, 'unexpected U+00A0'],
    ['[{"x":"at position 5"},]', 1, 24, 'a comma before ]'],
    ['undefined', 1, 1, 'undefined is not a JSON value; true, false and null are'],
    ['[\n1,', 2, 3, 'the text ends too early: it is cut off, or a bracket is not closed'],
    ['[\n1 2', 2, 3, "expected ',' or ']' after array element"],
    ['[\n"a', 2, 3, 'a string is not closed'],
  ])('states line and column of the syntax error in %j', (text, line, column, problem) => {
    expect(() => parseJson(text)).toThrow(
      expect.objectContaining({ position: { line, column }, message: `invalid JSON: ${problem}` }),
    );
  });

  test('states line and column of a syntax error anywhere', () => {
    const isBetween = (text: string, at: number) =>
      !/[\w.+-]/.test(text[at - 1] ?? '') || !/[\w.+-]/.test(text[at] ?? '');
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(), (value, number) => {
        const text = JSON.stringify(value, null, 1).replaceAll(/"(?:[^"\\]|\\.)*"/g, '"x"');
        const at = number % (text.length + 1);
        fc.pre(isBetween(text, at) && !text.slice(at - 1).startsWith('x"') && !text.slice(at).startsWith('x"'));
        const lines = text.slice(0, at).split('\n');
        const location = { position: { line: lines.length, column: (lines.at(-1) ?? '').length + 1 } };
        expect(() => parseJson(`${text.slice(0, at)}§${text.slice(at)}`)).toThrow(expect.objectContaining(location));
      }),
    );
  });

  test('parses whatever JSON.parse does, at any depth', () => {
    fc.assert(fc.property(fc.json(), (text) => void expect(parseJson(text)).toEqual(JSON.parse(text))));
    const spaced = (value: unknown) => JSON.stringify(value, null, 1);
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(spaced(value))).toEqual(JSON.parse(spaced(value)));
      }),
    );
    expect(parseJson(`${' ['.repeat(5_000)}${']'.repeat(5_000)}`)).toBeDefined();
  });
});
