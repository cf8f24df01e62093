import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { unescapePem } from '../../../src/terminator/encodings/pem.ts';

const text = 'A B\nc+/=';

describe('an escaped PEM is decoded', () => {
  test.each([
    ['with everything escaped', 'A%20B%0Ac%2B%2F%3D', '', 'upper'],
    ['with + / = bare', 'A%20B%0Ac+/=', '+/=', 'upper'],
    ['with lower-case digits and + / = bare', 'A%20B%0ac+/=', '+/=', 'lower'],
    ['with lower-case digits and everything escaped', 'A%20B%0ac%2b%2f%3d', '', 'lower'],
  ] as const)('%s', (_, value, bare, hexCase) => {
    expect(unescapePem(value, bare, hexCase)).toBe(text);
  });
});

describe('an escaped PEM is rejected', () => {
  test.each([
    ['+ / = bare where they are escaped', 'A%20B%0Ac+/=', '', 'an unescaped character'],
    ['+ / = escaped where they are bare', 'A%20B%0Ac%2B%2F%3D', '+/=', 'an escaped character'],
    ['one of them bare', 'A%20B%0Ac+%2F%3D', '+/=', 'an escaped character'],
    ['a bare space', 'A B', '', 'an unescaped character'],
    ['a bare line feed', 'A\nB', '+/=', 'an unescaped character'],
    ['a letter escaped', '%41', '', 'an escaped character'],
    ['a hyphen escaped', '%2DBEGIN', '', 'an escaped character'],
    ['lower-case digits instead of upper-case ones', 'A%0aB', '', 'hex digits in upper case'],
    ['a lower-case digit in an escape that a PEM contains', 'A%2bB', '', 'hex digits in upper case'],
    ['a percent sign alone', 'A%', '', 'malformed percent-encoding'],
    ['one digit', 'A%0', '', 'malformed percent-encoding'],
    ['no digits', 'A%zz', '', 'malformed percent-encoding'],
    ['invalid UTF-8', 'A%FF', '', 'malformed percent-encoding'],
    ['a character beyond ASCII', 'Ä', '', 'an unescaped character'],
  ] as const)('%s', (_, value, bare, reason) => {
    const read = () => unescapePem(value, bare);
    expect(read).toThrow(CertificateError);
    expect(read).toThrow(reason);
  });

  test('with upper-case digits instead of lower-case ones', () => {
    for (const bare of ['', '+/='] as const) {
      expect(() => unescapePem('A%0AB', bare, 'lower')).toThrow('hex digits in lower case');
    }
  });
});

describe('an escaped PEM', () => {
  const settings = fc.tuple(fc.constantFrom('' as const, '+/=' as const), fc.constantFrom('upper', 'lower'));
  const escaped = fc.string({ unit: fc.constantFrom(...'Aa9+/=-% \n', '%2B', '%2b', '%0A', '%0a', '%20', '%41') });

  test('has exactly one encoding', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(settings, escaped, ([bare, hexCase], value) => {
        try {
          const key = `${bare} ${hexCase} ${unescapePem(value, bare, hexCase)}`;
          expect(seen.get(key) ?? value).toBe(value);
          seen.set(key, value);
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
        }
      }),
      { numRuns: 1000 },
    );
    expect(seen.size).toBeGreaterThan(10);
  });
});
