import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { splitConcatenatedDer } from '../../../src/terminator/encodings/der.ts';
import { sequence } from '../../support/der.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('concatenated DER certificates', () => {
  test.each([
    ['none', 0, 0],
    ['one', 1, 5],
    ['of 127 and 128 bytes', 2, 127],
    ['of 255 and 256 bytes', 2, 255],
    ['of more than 64 KiB', 2, 70_000],
    ['ten', 10, 300],
  ])('are split: %s', (_, count, length) => {
    const certificates = Array.from({ length: count }, (_certificate, index) => sequence(Buffer.alloc(length + index)));
    const found = splitConcatenatedDer(Buffer.concat(certificates));
    expect(found.map((der) => Buffer.from(der))).toEqual(certificates);
  });

  test.each([
    ['eleven', '3000'.repeat(11), 'more than 10'],
    ['thousands', '3000'.repeat(10_000), 'more than 10'],
    ['another element', '30 00 04 01 00', 'not a DER SEQUENCE (at offset 2)'],
    ['a byte after them', '30 00 00', 'not a DER SEQUENCE (at offset 2)'],
    ['a tag alone', '30', 'not a DER SEQUENCE'],
    ['missing content', '30 02 00', 'truncated'],
    ['a missing length', '30 82 01', 'truncated'],
    ['BER of indefinite length', '30 80 00 00', 'a length that is indefinite or above 16 MiB'],
    ['a length of four bytes', '30 84 00 00 00 00', 'a length that is indefinite or above 16 MiB'],
    ['a short length in two bytes', '30 81 01 00', 'not minimally encoded'],
    ['a length with a leading zero', `30 82 00 80 ${'00'.repeat(128)}`, 'not minimally encoded'],
  ])('are rejected: %s', (_, encoding, reason) => {
    const split = () => splitConcatenatedDer(hex(encoding));
    expect(split).toThrow(CertificateError);
    expect(split).toThrow(reason);
  });

  test('split into certificates that add up to the input, or throw a CertificateError', () => {
    const pieces = fc.constantFrom('3000', '300102', '30', '3081', '3082', '00', '80', 'ff').map(hex);
    fc.assert(
      fc.property(fc.array(pieces).map(Buffer.concat), (bytes) => {
        try {
          expect(Buffer.concat(splitConcatenatedDer(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
