import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseDer } from '../../../src/pki/certificate/der.ts';
import { parseObjectIdentifier } from '../../../src/pki/certificate/der-element.ts';
import { createTestCa, selfSigned } from '../../support/certificates.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('DER is parsed', () => {
  test.each([
    ['an empty SEQUENCE', '30 00'],
    ['BOOLEAN TRUE', '01 01 ff'],
    ['INTEGER 0', '02 01 00'],
    ['INTEGER 128', '02 02 00 80'],
    ['INTEGER -128', '02 01 80'],
    ['an empty BIT STRING', '03 01 00'],
    ['a BIT STRING with unused bits', '03 02 07 80'],
    ['a length of 128 in two bytes', `04 81 80 ${'00'.repeat(128)}`],
    ['a SET in order', '31 06 02 01 01 02 01 02'],
    ['an explicit context tag', 'a0 03 02 01 02'],
    ['29 February of a leap year', time('200229235959Z')],
    ['GeneralizedTime', time('20491231235959Z')],
    ['UTCTime', `17 0d ${Buffer.from('261122000000Z').toString('hex')}`],
  ])('%s', (_, encoding) => {
    expect(Buffer.from(parseDer(hex(encoding)).encoded)).toEqual(hex(encoding));
  });
});

describe('BER that is not DER is rejected', () => {
  test.each([
    ['no bytes', '', 'truncated'],
    ['a trailing byte', '30 00 00', '1 trailing'],
    ['indefinite length', '30 80 00 00', 'indefinite'],
    ['a length in two bytes that fits in one', '04 81 01 00', 'not minimally encoded'],
    ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`, 'not minimally encoded'],
    ['a length beyond the end', '04 02 00', 'extends past its enclosing element'],
    ['a child that is longer than its parent', '30 03 04 02 00 00', 'extends past its enclosing element'],
    ['a length of four bytes', '04 84 00 00 00 00', '16 MiB'],
    ['a length that is cut off', '04 82 01', 'truncated'],
    ['a high tag number', '1f 81 01 00', 'tag number'],
    ['a constructed OCTET STRING', '24 03 04 01 00', 'tag 0x24'],
    ['a primitive SEQUENCE', '10 00', 'tag 0x10'],
    ['end-of-contents bytes', '00 00', 'tag 0x0'],
    ['BOOLEAN 01', '01 01 01', 'BOOLEAN'],
    ['a BOOLEAN of two bytes', '01 02 ff ff', 'BOOLEAN'],
    ['an INTEGER without content', '02 00', 'INTEGER'],
    ['a padded positive INTEGER', '02 02 00 7f', 'INTEGER'],
    ['a padded negative INTEGER', '02 02 ff 80', 'INTEGER'],
    ['a BIT STRING without content', '03 00', 'BIT STRING'],
    ['8 unused bits', '03 02 08 00', 'BIT STRING'],
    ['unused bits that are set', '03 02 07 81', 'unused bits'],
    ['unused bits without any byte', '03 01 01', 'unused bits'],
    ['a NULL with content', '05 01 00', 'NULL'],
    ['an empty OBJECT IDENTIFIER', '06 00', 'OBJECT IDENTIFIER'],
    ['a padded OBJECT IDENTIFIER arc', '06 03 55 80 03', 'not minimally encoded'],
    ['a truncated OBJECT IDENTIFIER', '06 02 55 84', 'truncated'],
    ['an endless OBJECT IDENTIFIER', `06 81 81 ${'01'.repeat(129)}`, 'too long'],
    ['a SET out of order', '31 06 02 01 02 02 01 01', 'DER order'],
    ['UTCTime without seconds', `17 0b ${Buffer.from('2611220000Z').toString('hex')}`, 'time'],
    ['UTCTime with an offset', `17 11 ${Buffer.from('261122000000+0100').toString('hex')}`, 'time'],
    ['GeneralizedTime with a fraction', `18 11 ${Buffer.from('20261122000000.5Z').toString('hex')}`, 'time'],
    ['month 13', time('201301000000Z'), 'calendar'],
    ['month 0', time('200001000000Z'), 'calendar'],
    ['30 February', time('200230000000Z'), 'calendar'],
    ['29 February of a common year', time('210229000000Z'), 'calendar'],
    ['hour 24', time('200101240000Z'), 'calendar'],
    ['second 60', time('200101000060Z'), 'calendar'],
    ['day 32 of a GeneralizedTime', time('20200132000000Z'), 'calendar'],
    ['excessive nesting', nested(40), 'nested deeper'],
  ])('%s', (_, encoding, reason) => {
    const parse = () => parseDer(hex(encoding));
    expect(parse).toThrow(CertificateError);
    expect(parse).toThrow(reason);
  });
});

function time(text: string): string {
  return `${text.length === 13 ? '17 0d' : '18 0f'} ${Buffer.from(text).toString('hex')}`;
}

function nested(levels: number): string {
  let encoding = '';
  for (let level = 0; level < levels; level++) {
    const length = encoding.length / 2;
    encoding = `30${length < 128 ? length.toString(16).padStart(2, '0') : `81${length.toString(16)}`}${encoding}`;
  }
  return encoding;
}

test('object identifiers are formatted in dotted form', () => {
  expect(parseObjectIdentifier(hex('55 04 03'))).toBe('2.5.4.3');
  expect(parseObjectIdentifier(hex('2a 86 48 86 f7 0d 01 01 0b'))).toBe('1.2.840.113549.1.1.11');
  expect(parseObjectIdentifier(hex('88 37 03'))).toBe('2.999.3');
  expect(parseObjectIdentifier(hex('00'))).toBe('0.0');
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
