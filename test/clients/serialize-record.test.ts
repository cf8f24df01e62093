import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serializeClient } from '../../src/clients/serialize-record.ts';

describe('serializeClient', () => {
  test('writes the fields in the order of the schema, without defaults', () => {
    const record = {
      scope: 'x',
      certificates: [{ note: 'n', not_after: '2027-01-31', thumbprint: 't' }],
      client_id: 'a',
      claims: { b: 1, a: { d: 1, c: [{ f: 1, e: 2 }] } },
    };
    expect(serializeClient(record)).toBe(
      '{"client_id":"a","certificates":[{"thumbprint":"t","not_after":"2027-01-31","note":"n"}],"scope":"x","claims":{"a":{"c":[{"e":2,"f":1}],"d":1},"b":1}}',
    );
  });

  test('omits enabled: true', () => {
    expect(serializeClient({ client_id: 'a', enabled: true })).toBe('{"client_id":"a"}');
    expect(serializeClient({ client_id: 'a', enabled: false })).toBe('{"client_id":"a","enabled":false}');
  });

  test('returns the same text for records that differ only in the order of their fields', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, reversed(member)]),
      );
    };
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.constantFrom('scope', 'client_id', 'claims', '__proto__'), fc.string()),
          fc.jsonValue(),
        ),
        (value) => {
          const text = serializeClient(value);
          expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
          expect(serializeClient(reversed(value))).toBe(text);
          expect(serializeClient(JSON.parse(text))).toBe(text);
        },
      ),
    );
  });
});
