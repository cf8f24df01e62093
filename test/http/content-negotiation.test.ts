import { describe, expect, test } from 'vitest';
import { negotiateMediaType } from '../../src/http/content-negotiation.ts';

const json = 'application/json';
const jwt = 'application/token-introspection+jwt';

const rows: readonly (readonly [accept: string | undefined, expected: string])[] = [
  // The default.
  [undefined, json],
  ['', json],
  ['*/*', json],
  ['*', json],
  ['application/*', json],
  [json, json],
  ['application/json;charset=UTF-8', json],
  ['application/json, text/plain, */*', json],
  ['*/*;q=0', json],
  ['text/html', json],
  ['text/*', json],
  [',', json],
  ['application/token-introspection', json],
  ['application/token-introspection+jwt;q=0', json],
  ['application/token-introspection+jwt;q=0, */*', json],
  ['application/token-introspection+jwt;q=0.0', json],
  // The other type.
  [jwt, jwt],
  ['Application/Token-Introspection+JWT', jwt],
  [` ${jwt} `, jwt],
  [`${jwt};q=0.1`, jwt],
  [`${jwt}; q=0.001`, jwt],
  [`${jwt};profile="a,b;q=0"`, jwt],
  [`text/html, ${jwt}`, jwt],
  [`${jwt}, text/html;q=0.9`, jwt],
  // Weights.
  [`${jwt}, ${json};q=0.9`, jwt],
  [`${json};q=0.9, ${jwt}`, jwt],
  [`${jwt};Q=0.5, ${json};Q=0.4`, jwt],
  [`${jwt};q=0.9, ${json}`, json],
  [`${json}, ${jwt};q=0.9`, json],
  [`${jwt};q=0.5, */*;q=0.6`, json],
  [`${jwt};q=0.5, application/*;q=0.6, */*;q=0.1`, json],
  // Equal weights: the more specific range, and then the default.
  [`${jwt}, ${json}`, json],
  [`${json}, ${jwt}`, json],
  [`${jwt}, */*`, jwt],
  [`*/*, ${jwt}`, jwt],
  [`${jwt}, application/*`, jwt],
  [`${jwt};q=0.5, ${json};q=0.5`, json],
  // A range counts for a type only if no more specific one matches.
  [`${json};q=0.1, */*`, jwt],
  [`${json};q=0, */*`, jwt],
  [`${json};q=0, application/*;q=0.2`, jwt],
  [`${jwt};q=0.1, ${json};q=0.2, */*;q=0.9`, json],
];

describe('of JSON, the default, and another type', () => {
  test.each(rows)('Accept: %s gets %s', (accept, expected) => {
    expect(negotiateMediaType(accept, [json, jwt])).toBe(expected);
  });
});

test('a long field is decided quickly', () => {
  for (const part of ['a/b,', ';', '"', 'a/b;q="\\', ',', 'a/b;c=d;']) {
    const start = process.cpuUsage();
    negotiateMediaType(part.repeat(64_000 / part.length), [json, jwt]);
    expect(process.cpuUsage(start).user / 1000, part).toBeLessThan(500);
  }
});
