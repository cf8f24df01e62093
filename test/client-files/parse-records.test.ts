import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientsFileError } from '../../src/client-files/clients-file-error.ts';
import { parseJson } from '../../src/client-files/parse-json.ts';
import { parseLine, parseRecords } from '../../src/client-files/parse-records.ts';

const values = (path: string, text: string) => parseRecords(path, text).map(({ value }) => value);

describe('records', () => {
  test.each([
    ['clients.yaml', '- client_id: a\n- client_id: b'],
    ['clients.yaml', '[{client_id: a}, {client_id: b}]'],
    ['clients.json', '{"clients": [{"client_id": "a"}, {"client_id": "b"}]}'],
    ['clients.json', '{"$schema": "clients.schema.json", "clients": [{"client_id": "a"}, {"client_id": "b"}]}'],
    ['clients.yaml', 'clients: [{client_id: a}, {client_id: b}]\n$schema: clients.schema.json'],
  ])('%s: %j', (path, text) => {
    expect(values(path, text)).toEqual([{ client_id: 'a' }, { client_id: 'b' }]);
  });

  test('of JSON Lines know their line', () => {
    expect(parseLine('a.jsonl', '{"client_id":"a"}\r', 2)).toEqual({ number: 2, value: { client_id: 'a' } });
    expect(parseLine('a.jsonl', ' \r', 2)).toBeUndefined();
    expect(() => parseLine('a.jsonl', '{"client_id"', 2)).toThrow('line 2: not JSON');
    expect(() => parseLine('a.jsonl', '{"client_id":"a","client_id":"a"}', 2)).toThrow('twice');
  });

  test.each([
    ['clients.json', '[{"client_id": "a"},]', 'not JSON'],
    ['clients.json', '[{"enabled": false, "enabled": true}]', 'twice'],
    ['clients.yaml', '[{"client_id": "a", "client_id": "b"}]', 'unique'],
    ['clients.yaml', 'clients: {}', 'expected a list'],
    ['clients.json', '{"$schema": 1, "clients": []}', 'expected a list'],
    ['clients.json', '{"$schema": "clients.schema.json"}', 'expected a list'],
    ['clients.json', '{"$schema": "clients.schema.json", "clients": [], "more": 1}', 'expected a list'],
    ['clients.yaml', '- client_id: !secret a', 'Unresolved tag'],
  ])('%s is refused: %j', (path, text, message) => {
    expect(() => parseRecords(path, text)).toThrow(ClientsFileError);
    expect(() => parseRecords(path, text)).toThrow(message);
  });
});

describe('parseJson', () => {
  test.each(['"a"', '"a:b"', '1', 'null', '[]', '{}', '{"a": ":\\"", "b\\\\": [{"a": 1}]}', '[null, {"a": null}]'])(
    'reads %s',
    (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    },
  );

  test.each(['{"a":1,"a":1}', '[{"b":{"a":1, "\\u0061":2}}]', '{"__proto__":1,"__proto__":2}'])(
    'refuses %s',
    (text) => {
      expect(() => parseJson(text)).toThrow('twice');
    },
  );

  test('reads whatever JSON.parse does, and walks into any depth', () => {
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
