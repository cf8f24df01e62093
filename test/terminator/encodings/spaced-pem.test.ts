import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { decodeSpacedPem } from '../../../src/terminator/encodings/pem.ts';

const toPem = (bytes: Uint8Array) => {
  const lines = Buffer.from(bytes)
    .toString('base64')
    .replace(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
};
const der = Buffer.alloc(100, 7);
const spaced = (bytes: Uint8Array) => toPem(bytes).replaceAll('\n', ' ').trimEnd();
const value = spaced(der);

describe('a PEM with spaces in place of line feeds', () => {
  test.each([
    ['without the last space', value],
    ['with the last space', `${value} `],
  ])('is decoded: %s', (_, written) => {
    expect(Buffer.from(decodeSpacedPem(written))).toEqual(der);
  });

  test.each([
    ['with its line feeds', toPem(der)],
    ['with one of them', value.replace('H Bw', 'H\nBw')],
    ['without the spaces', value.replaceAll(' ', '')],
    ['without those between the lines', value.replace('H Bw', 'HBw')],
    ['two spaces', value.replace('- ', '-  ')],
    ['a space within a line', value.replace('BwcH', 'Bw cH')],
    ['a tab for a space', value.replace('- B', '-\tB')],
    ['percent-encoded', encodeURIComponent(toPem(der))],
    ['a space before it', ` ${value}`],
    ['two spaces after it', `${value}  `],
    ['junk before it', `x${value}`],
    ['junk after it', `${value} x`],
    ['two blocks', `${value} ${value}`],
    ['no end', value.replace(/ -----END.*/, '')],
    ['another label', spaced(der).replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')],
    ['bare base64', der.toString('base64')],
    ['absent', ''],
  ])('is rejected: %s', (_, written) => {
    expect(() => decodeSpacedPem(written)).toThrow(CertificateError);
  });

  test('has exactly one encoding', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.string({ maxLength: 2 }),
        (bytes, at, junk) => {
          const written = spaced(bytes);
          expect(Buffer.from(decodeSpacedPem(written)).equals(bytes)).toBe(true);
          const edited = written.slice(0, at % written.length) + junk + written.slice((at % written.length) + 1);
          if (edited.trimEnd() === written) return;
          try {
            expect(Buffer.from(decodeSpacedPem(edited)).equals(bytes)).toBe(false);
          } catch (error) {
            expect(error).toBeInstanceOf(CertificateError);
          }
        },
      ),
    );
  });
});
