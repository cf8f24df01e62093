import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBearerToken } from '../../src/edge/bearer-token.ts';
import { HeaderFields } from '../../src/http/header-fields.ts';

const read = (...lines: string[]) =>
  readBearerToken(new HeaderFields(['Host', 'a', ...lines.flatMap((line) => ['Authorization', line])]));

describe('the Authorization field has the token', () => {
  test.each([
    ['Bearer a.b.c', 'a.b.c'],
    ['bearer a.b.c', 'a.b.c'],
    ['BEARER a.b.c', 'a.b.c'],
    ['bEaReR   a.b.c', 'a.b.c'],
    ['Bearer AZaz09-._~+/', 'AZaz09-._~+/'],
    ['Bearer a==', 'a=='],
    ['Bearer Bearer', 'Bearer'],
    // Verification rejects the characters of these.
    ['Bearer "a"', '"a"'],
    ['Bearer token=a', 'token=a'],
    ['Bearer ä', 'ä'],
    ['Bearer a\tb', 'a\tb'],
  ])('%s', (line, token) => {
    expect(read(line)).toEqual({ kind: 'token', token });
  });

  test('in any case of the name of the field', () => {
    expect(readBearerToken(new HeaderFields(['AUTHORIZATION', 'Bearer a']))).toEqual({ kind: 'token', token: 'a' });
  });
});

describe('the Authorization field has no acceptable token:', () => {
  test.each<[string, string[], string, boolean]>([
    ['two fields', ['Bearer a', 'Bearer a'], 'Authorization appears 2 times', true],
    ['two fields, one of them empty', ['Bearer a', ''], 'Authorization appears 2 times', true],
    ['two fields, the token in the second', ['Basic YTpi', 'Bearer a'], 'Authorization appears 2 times', true],
    ['three fields without a token', ['', 'Basic YTpi', 'Bearer'], 'Authorization appears 3 times', false],
    ['two fields joined by a comma', ['Bearer a, Bearer b'], 'Authorization contains a comma', true],
    ['two fields joined by a comma without a space', ['Bearer a,Bearer b'], 'Authorization contains a comma', true],
    ['a trailing comma', ['Bearer a,'], 'Authorization contains a comma', true],
    ['a leading comma', [',Bearer a'], 'Authorization does not use the scheme Bearer', false],
    [
      'another scheme before the token',
      ['Basic YTpi, Bearer a'],
      'Authorization does not use the scheme Bearer',
      false,
    ],
    ['two tokens', ['Bearer a b'], 'Authorization contains a space after the token', true],
    ['no token', ['Bearer'], 'Authorization contains no token', false],
    ['spaces alone', ['bearer   '], 'Authorization contains no token', false],
    ['an empty field', [''], 'Authorization does not use the scheme Bearer', false],
    ['a tab after the scheme', ['Bearer\ta'], 'Authorization does not use the scheme Bearer', false],
    ['a colon after the scheme', ['Bearer: a'], 'Authorization does not use the scheme Bearer', false],
    ['a longer scheme', ['Bearers a'], 'Authorization does not use the scheme Bearer', false],
    ['the token without its scheme', ['a.b.c'], 'Authorization does not use the scheme Bearer', false],
    ['Basic', ['Basic YTpi'], 'Authorization does not use the scheme Bearer', false],
    ['DPoP', ['DPoP a.b.c'], 'Authorization does not use the scheme Bearer', false],
    ['Negotiate', ['Negotiate YII='], 'Authorization does not use the scheme Bearer', false],
  ])('%s', (_, lines, reason, isToken) => {
    expect(read(...lines)).toEqual({ kind: 'rejected', reason, isToken });
  });

  test('no field', () => {
    expect(read()).toEqual({ kind: 'absent' });
    const others = ['X-Authorization', 'Bearer a', 'Authorization_', 'Bearer a', 'Proxy-Authorization', 'Bearer a'];
    expect(readBearerToken(new HeaderFields(others))).toEqual({ kind: 'absent' });
  });
});

test('a token is read exactly as it was sent, and nothing else is a token', () => {
  const line = fc.oneof(fc.string(), fc.stringMatching(/^[Bb]earer {1,3}[\x20-\x7e]{1,40}$/));
  fc.assert(
    fc.property(line, (value) => {
      const found = read(value);
      if (found.kind === 'token') {
        expect(value.toLowerCase()).toMatch(/^bearer +[^ ,]+$/);
        expect(value.endsWith(` ${found.token}`)).toBe(true);
      } else expect(found.kind).toBe('rejected');
    }),
    { numRuns: 2_000 },
  );
});
