import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { decodeForwardedPem, encodePem, parseCertificateFile } from '../../../src/pki/certificate/pem.ts';
import { selfSigned } from '../../support/certificates.ts';
import { openssl } from '../../support/openssl.ts';

const { der, pem } = selfSigned();
const body = pem.split('\n').slice(1, -2).join('\n');

describe('a forwarded PEM', () => {
  test('is decoded in the format of openssl, with or without the final line feed', async () => {
    const written = await openssl(['x509', '-outform', 'PEM'], pem);
    expect(Buffer.from(decodeForwardedPem(written))).toEqual(Buffer.from(der));
    expect(Buffer.from(decodeForwardedPem(written.trimEnd()))).toEqual(Buffer.from(der));
  });

  test.each([
    ['empty', ''],
    ['bare base64', body],
    ['junk before it', `x${pem}`],
    ['a line feed before it', `\n${pem}`],
    ['junk after it', `${pem}x`],
    ['two line feeds after it', `${pem}\n`],
    ['a second block', pem + pem],
    ['a second block without a line feed between', pem.trimEnd() + pem],
    ['CRLF', pem.replaceAll('\n', '\r\n')],
    ['one long line', `-----BEGIN CERTIFICATE-----\n${body.replaceAll('\n', '')}\n-----END CERTIFICATE-----\n`],
    ['lines of 76', pem.replace(body, body.replaceAll('\n', '').replace(/(.{76})/g, '$1\n'))],
    ['spaces at the ends of lines', pem.replaceAll('\n', ' \n')],
    ['another label', pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')],
    ['the legacy label', pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE')],
    ['a private key', pem.replaceAll('CERTIFICATE', 'PRIVATE KEY')],
    ['base64url', pem.replaceAll('+', '-').replaceAll('/', '_').replace(/[A-Z]/, '-')],
    ['encapsulated headers', pem.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n')],
    ['no end', pem.slice(0, -20)],
    ['no content', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n '],
  ])('is rejected: %s', (_, text) => {
    expect(() => decodeForwardedPem(text)).toThrow(CertificateError);
  });

  test('round-trips, and no other text decodes to the same bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 2 }),
        (bytes, at, junk) => {
          const text = encodePem(bytes);
          expect(Buffer.from(decodeForwardedPem(text))).toEqual(Buffer.from(bytes));
          const position = at % (text.length + 1);
          const changed = text.slice(0, position) + junk + text.slice(position);
          try {
            expect(Buffer.from(decodeForwardedPem(changed))).not.toEqual(Buffer.from(bytes));
          } catch (error) {
            expect(error).toBeInstanceOf(CertificateError);
          }
        },
      ),
    );
  });
});

describe('a PEM file', () => {
  test('is parsed with text around its blocks, CRLF and other line lengths', () => {
    const file = `subject=CN = x\r\n${pem.replaceAll('\n', '\r\n')}\nsome words\n${encodePem(der)}`;
    const { certificates } = parseCertificateFile(Buffer.from(file));
    expect(certificates.map((bytes) => Buffer.from(bytes).equals(der))).toEqual([true, true]);
    expect(() => parseCertificateFile(Buffer.from('no certificate'))).toThrow('contains no certificate');
  });

  test.each([
    ['a block without end', pem.slice(0, -30)],
    ['a block that is not base64', pem.replace(body, '!!!!')],
    ['an empty block', pem.replace(body, '')],
  ])('is rejected: %s', (_, text) => {
    expect(() => parseCertificateFile(Buffer.from(text))).toThrow(CertificateError);
  });
});
