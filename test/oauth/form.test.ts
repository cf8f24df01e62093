import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foreignCharset, parseForm } from '../../src/oauth/form.ts';
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
    ['?a=1', 'a', undefined],
    ['?a=1', '?a', '1'],
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
    ['bytes that are not UTF-8 before a character beyond ASCII', 'a=%C3€'],
    ['half of a surrogate pair', 'a=\ud800'],
    ['a NUL', 'client_id=a%00b'],
    ['a byte order mark at its start', '\uFEFFclient_id=a'],
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

describe('form parsing agrees with URLSearchParams', () => {
  const pieces = [
    ...[
      'a',
      'b',
      'resource',
      '=',
      '&',
      '+',
      '?',
      ' ',
      '%41',
      '%26',
      '%3D',
      '%2B',
      '%25',
      '%3d%3D',
      '%C3%BC',
      '%e2%82%ac',
    ],
    ...['\u00fc', '\u20ac', '\u{1d11e}', '\ud800', '\udc00', '\uFEFF', '\uFFFD', '\0', '%EF%BB%BF', '%EF%BF%BD', '%00'],
    // Not UTF-8: cut off, continued by nothing, overlong, a surrogate, beyond Unicode.
    ...['%C3', '%BC', '%c0%af', '%e0%80%af', '%ed%a0%80', '%f4%90%80%80', '%F0%9D%84', '%ff', '%', '%4', '%zz'],
  ];
  const bodies = fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((chosen) => chosen.join(''));

  /** The parameters that a body must have; undefined if it must be rejected. */
  function expected(body: string): Map<string, string[]> | undefined {
    // Node misreads characters beyond ASCII next to bytes that are not UTF-8: "%C3€" becomes "ì".
    const ascii = body.toWellFormed().replace(/[^\0-\x7f]+/g, encodeURIComponent);
    // URLSearchParams would remove a question mark from the start of the body.
    const parameters = [...new URLSearchParams(`?${ascii}`)];
    const isMalformed = body.startsWith('\uFEFF') || /%(?![0-9A-Fa-f]{2})/.test(body);
    if (isMalformed || parameters.flat().some((text) => /[\0\uFFFD]/.test(text))) return undefined;
    const byName = Map.groupBy(parameters, ([name]) => name);
    if ([...byName].some(([name, values]) => name !== 'resource' && values.length > 1)) return undefined;
    const present = [...byName].map(
      ([name, values]) => [name, values.map(([, value]) => value).filter((value) => value !== '')] as const,
    );
    return new Map(present.map(([name, values]) => [name, [...values]]));
  }

  test('about what it accepts, and about every value', () => {
    const outcomes = { accepted: 0, rejected: 0 };
    fc.assert(
      fc.property(bodies, (body) => {
        const parameters = expected(body);
        outcomes[parameters ? 'accepted' : 'rejected'] += 1;
        if (!parameters) expect(() => parseForm(body)).toThrow(OAuthError);
        else {
          const form = parseForm(body);
          for (const [name, [first]] of parameters) expect(form.get(name)).toBe(first);
          expect(form.all('resource')).toEqual(parameters.get('resource') ?? []);
        }
      }),
      { numRuns: 5_000 },
    );
    expect(Math.min(outcomes.accepted, outcomes.rejected)).toBeGreaterThan(500);
  });
});

describe('the content type of a form', () => {
  const type = 'application/x-www-form-urlencoded';
  test.each([
    type,
    type.toUpperCase(),
    `${type};charset=UTF-8`,
    `${type};`,
    `${type} ; charset=utf-8 ;`,
    `${type}; charset="utf-8"`,
    `${type}; charset=utf8`,
    `${type};;;`,
    `${type}; boundary=x`,
    `${type}; boundary="a;charset=utf-16"`,
    `${type}; foo`,
    `${type}; q=0.9; x="\\""`,
    `${type}; charset=utf-8; Charset="UTF-8"`,
    `${type}; x="\\"; charset=utf-16"; charset=utf-8`,
    ` ${type}`,
  ])('%s means UTF-8', (value) => expect(foreignCharset(value)).toBeUndefined());
  test.each([
    ['ISO-8859-1', `${type}; charset=ISO-8859-1`],
    ['us-ascii', `${type}; charset=us-ascii`],
    ['windows-1252', `${type.toUpperCase()};CHARSET="windows-1252";x=y`],
    ['Shift_JIS', `${type}; x=y; charset=Shift_JIS`],
  ])('with the charset %s is accepted for ASCII', (charset, value) => {
    expect(foreignCharset(value)).toBe(charset);
    expect(parseForm('client_id=a&x=%41+b', charset).get('x')).toBe('A b');
  });
  test.each(['n=M\xfcller', 'n=M%C3%BCller', '%C3%BC=1', 'n=%E9'])(
    'with the charset ISO-8859-1 is rejected for %s',
    (body) => {
      const error = rejection(() => parseForm(body, 'ISO-8859-1'));
      expect(error).toMatchObject({ error: 'invalid_request', reason: expect.stringContaining('"ISO-8859-1"') });
    },
  );
  test.each(['utf-16', 'UTF-16LE', 'iso-2022-jp', 'csISO2022JP', 'utf-7', 'cp037', 'x-unknown'])(
    'with the charset %s is rejected by name',
    (name) => {
      const error = rejection(() => foreignCharset(`${type}; charset=${name}`));
      expect(error).toMatchObject({ error: 'invalid_request', reason: expect.stringContaining(JSON.stringify(name)) });
    },
  );
  test.each([
    `${type}; charset=utf-8; charset=iso-8859-1`,
    `${type}; charset=iso-8859-1; x=y; CHARSET="utf-8"`,
    `${type}; charset=utf-8;\tcharset=utf-16`,
    `${type}; x="a"; charset=us-ascii; y="b;c"; charset=windows-1252`,
  ])('%s is rejected, since parsers differ in which charset they take', (value) => {
    expect(rejection(() => foreignCharset(value))).toMatchObject({ description: expect.stringContaining('charset') });
  });
  test.each([
    undefined,
    '',
    'application/json',
    'multipart/form-data; boundary=x',
    `${type}2`,
    `x${type}`,
    `${type}, application/json`,
    `${type}, ${type}`,
    `"${type}"`,
    'application',
    '; charset=utf-8',
  ])('%s is rejected', (value) => {
    const error = rejection(() => foreignCharset(value));
    expect(error).toMatchObject({ description: `The request body must be ${type}.` });
  });
});

function rejection(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(OAuthError);
    return error;
  }
  throw new Error('nothing was thrown');
}
