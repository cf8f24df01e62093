import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseDer } from '../../../src/pki/certificate/der.ts';
import { createTestCa, selfSigned } from '../../support/certificates.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('DER is parsed', () => {
  test.each([
    ['an empty SEQUENCE', '30 00'],
    ['a length of 128 in two bytes', `04 81 80 ${'00'.repeat(128)}`],
    ['a SET in order', '31 06 02 01 01 02 01 02'],
    ['an explicit context tag', 'a0 03 02 01 02'],
    ['a content that nothing interprets', '30 06 02 02 00 01 01 00'],
    ['a GeneralString', '1b 01 41'],
    ['a GraphicString', '19 01 41'],
    ['a VideotexString', '15 01 41'],
    ['an ObjectDescriptor', '07 01 41'],
    ['an EXTERNAL', '28 06 06 01 2a 80 01 00'],
    ['a REAL', '09 03 80 00 01'],
    ['an EMBEDDED PDV', '2b 00'],
    ['a RELATIVE-OID', '0d 01 03'],
    ['a TIME', '0e 04 32 30 32 36'],
    ['the reserved type 15', '0f 00'],
    ['a CHARACTER STRING', '3d 00'],
    ['a DATE, which has tag number 31', '1f 1f 0a 32 30 32 36 2d 31 31 2d 32 39'],
    ['an OID-IRI', '1f 23 04 2f 49 53 4f'],
    ['a private tag', 'c0 01 00'],
    ['a tag number of two bytes', 'bf 81 00 03 02 01 02'],
    ['a tag number of 20 bytes', `9f ${'ff'.repeat(19)} 01 00`],
    ['1,000 levels of nesting', nested(1_000)],
  ])('%s', (_, encoding) => {
    expect(Buffer.from(parseDer(hex(encoding)).encoded)).toEqual(hex(encoding));
    expect(Buffer.from(parseDer(hex(wrapped(encoding))).content)).toEqual(hex(encoding));
  });

  test('into the elements of a constructed element, in order, with their positions', () => {
    const { children } = parseDer(hex('30 0a 02 01 07 a0 03 1f 1f 00 05 00'));
    expect(children.map(({ tag, offset }) => [tag, offset])).toEqual([
      [0x02, 2],
      [0xa0, 5],
      [0x05, 10],
    ]);
    expect(children[1]?.children[0]).toMatchObject({ tag: 0x1f, offset: 7 });
  });
});

describe('BER that is not DER is rejected, at any depth', () => {
  test.each([
    ['indefinite length', '30 80 00 00', 'indefinite'],
    ['a length in two bytes that fits in one', '04 81 01 00', 'not minimally encoded'],
    ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`, 'not minimally encoded'],
    ['a length beyond the end', '04 02 00', 'extends past its enclosing element'],
    ['a child that is longer than its parent', '30 03 04 02 00', 'extends past its enclosing element'],
    ['a length of four bytes for nothing', '04 84 00 00 00 00', 'not minimally encoded'],
    ['a length of 4 GiB', '04 85 01 00 00 00 00', 'extends past its enclosing element'],
    ['a length that is cut off', '04 82 01', /truncated|extends past|not minimally/],
    ['a high tag number for a low one', '1f 1e 00', 'tag number that is not minimally encoded'],
    ['a tag number with a leading zero', '9f 80 1f 00', 'tag number that is not minimally encoded'],
    ['a constructed OCTET STRING', '24 03 04 01 00', 'tag 0x24 has the constructed form'],
    ['a constructed GeneralString', '3b 03 1b 01 41', 'tag 0x3b has the constructed form'],
    ['a primitive SEQUENCE', '10 00', 'tag 0x10 has the primitive form'],
    ['a primitive EXTERNAL', '08 00', 'tag 0x8 has the primitive form'],
    ['end-of-contents bytes', '00 00', 'end-of-contents'],
  ])('%s', (_, encoding, reason) => {
    for (const bytes of [encoding, wrapped(encoding), wrapped(wrapped(encoding))]) {
      const parse = () => parseDer(hex(bytes));
      expect(parse).toThrow(CertificateError);
      expect(parse).toThrow(reason);
    }
  });

  test.each([
    ['no bytes', '', 'truncated'],
    ['a tag number without an end', '1f 81', 'truncated'],
    ['a tag without a length', '02', 'truncated'],
    ['a trailing byte', '30 00 00', '1 trailing'],
  ])('%s', (_, encoding, reason) => {
    expect(() => parseDer(hex(encoding))).toThrow(reason);
  });
});

/** In a SEQUENCE. */
function wrapped(encoding: string): string {
  const length = hex(encoding).length;
  if (length < 0x80) return `30 ${length.toString(16).padStart(2, '0')} ${encoding}`;
  return `30 ${length < 0x100 ? '81' : '82'} ${length.toString(16).padStart(length < 0x100 ? 2 : 4, '0')} ${encoding}`;
}

function nested(levels: number): string {
  return Array.from({ length: levels }).reduce<string>((encoding) => wrapped(encoding), '');
}

test('deeply nested DER is parsed without recursion', () => {
  // Tag and length of each level, from the inside: 100,000 levels would overflow the stack.
  const levels: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < 100_000; level++) {
    const digits =
      length < 0x80
        ? ''
        : length.toString(16).padStart(length.toString(16).length + (length.toString(16).length % 2), '0');
    const header =
      length < 0x80
        ? Buffer.of(0x30, length)
        : Buffer.from(`30${(0x80 + digits.length / 2).toString(16)}${digits}`, 'hex');
    levels.unshift(header);
    length += header.length;
  }
  expect(parseDer(Buffer.concat(levels)).content.length).toBe(length - (levels[0]?.length ?? 0));
});

describe('the DER parser', () => {
  const ca = createTestCa();
  const certificates = [ca.der, ca.issue({ dns: ['a.example'] }).der, selfSigned().der];

  test('returns an element or throws a CertificateError for any input', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          expect(parseDer(bytes).encoded.length).toBe(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
        }
      }),
    );
  });

  test('returns exactly the input bytes of a certificate with one changed byte, or rejects it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...certificates), fc.nat(), fc.integer({ min: 1, max: 255 }), (der, at, change) => {
        const mutant = Uint8Array.from(der);
        const index = at % mutant.length;
        mutant[index] = (mutant[index] ?? 0) ^ change;
        try {
          expect(Buffer.from(parseDer(mutant).encoded).equals(mutant)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
        }
      }),
    );
  });

  test('rejects a truncated certificate and one with trailing bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...certificates), fc.nat(), fc.uint8Array({ minLength: 1 }), (der, at, more) => {
        expect(() => parseDer(der.subarray(0, at % der.length))).toThrow(CertificateError);
        expect(() => parseDer(Buffer.concat([der, more]))).toThrow(CertificateError);
      }),
    );
  });
});
