import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseForm, requireFormContentType } from '../../src/oauth/form.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';

describe('form parsing decodes', () => {
  test.each([
    ['a=1&b=2', 'b', '2'],
    ['scope=api1+api2', 'scope', 'api1 api2'],
    ['scope=api1%20api2', 'scope', 'api1 api2'],
    ['scope=', 'scope', undefined],
    ['scope', 'scope', undefined],
    ['', 'scope', undefined],
    ['n=M%C3%BCller', 'n', 'Müller'],
    ['a=b=c', 'a', 'b=c'],
    ['__proto__=x', '__proto__', 'x'],
    ['a=1', 'toString', undefined],
  ])('%j: %s is %j', (body, name, value) => {
    expect(parseForm(body).get(name)).toBe(value);
  });

  test('form parsing accepts a repeated resource', () => {
    expect(parseForm('resource=urn%3Aa&resource=&resource=urn%3Ab').all('resource')).toEqual(['urn:a', 'urn:b']);
    expect(parseForm('a=1').all('resource')).toEqual([]);
  });
});

describe('form parsing rejects', () => {
  test.each([
    ['a repeated parameter', 'client_id=a&client_id=b'],
    ['a repeated parameter with the same value', 'client_id=a&client_id=a'],
    ['a repeated parameter, once empty', 'client_id=a&client_id='],
    ['a repeated parameter, once escaped', 'client_id=a&client%5Fid=b'],
    ['a repeated unknown parameter', 'x=1&x=2'],
    ['a repeated __proto__', '__proto__=1&__proto__=2'],
    ['a bare percent sign', 'a=%'],
    ['a percent sign with one digit', 'a=%4'],
    ['invalid percent-encoding', 'a=%zz'],
    ['bytes that are not UTF-8', 'a=%ff'],
    ['a NUL', 'client_id=a%00b'],
  ])('%s', (_, body) => {
    expect(() => parseForm(body)).toThrow(OAuthError);
  });

  test('form parsing returns a form or throws OAuthError for any body, and restores encoded parameters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (body) => {
        try {
          parseForm(body).get('client_id');
        } catch (error) {
          expect(error).toBeInstanceOf(OAuthError);
        }
      }),
    );
    const text = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((value) => !/[\0\uFFFD]/.test(value) && value.isWellFormed());
    fc.assert(
      fc.property(fc.dictionary(text, text), (parameters) => {
        const form = parseForm(new URLSearchParams(parameters).toString());
        for (const [name, value] of Object.entries(parameters)) expect(form.get(name)).toBe(value);
      }),
    );
  });
});

describe('the content type', () => {
  const type = 'application/x-www-form-urlencoded';
  test.each([
    type,
    type.toUpperCase(),
    `${type};charset=UTF-8`,
    `${type};`,
    `${type} ; charset=utf-8 ;`,
    `${type}; charset="utf-8"`,
  ])('%s is accepted', (value) => expect(() => requireFormContentType(value)).not.toThrow());
  test.each([
    undefined,
    '',
    'application/json',
    'multipart/form-data; boundary=x',
    `${type}2`,
    `${type};;;;charset=utf-7`,
    `${type}; charset=utf-16`,
    `x${type}`,
    `${type}, application/json`,
  ])('%s is rejected', (value) => expect(() => requireFormContentType(value)).toThrow(OAuthError));
});
