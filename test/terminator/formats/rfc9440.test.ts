import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { rfc9440 } from '../../../src/terminator/formats/rfc9440.ts';
import { selfSigned } from '../../support/certificates.ts';

const { der, pem, thumbprint } = selfSigned();
const other = selfSigned();
const base64 = Buffer.from(der).toString('base64');
const read = (value: string) => parseClientCertificate(rfc9440.decode(value).leaf);

describe('RFC 9440', () => {
  test('the Byte Sequence', () => {
    expect(read(`:${base64}:`).thumbprint).toBe(thumbprint);
    expect(rfc9440.decode(`:${base64}:`).chain).toEqual([]);
  });

  test('the chain, on one line and on two that were joined', () => {
    const item = (bytes: Uint8Array) => `:${Buffer.from(bytes).toString('base64')}:`;
    for (const separator of [',', ', ', ' , ']) {
      const found = rfc9440.chain?.decode([item(der), item(other.der)].join(separator));
      expect(found?.map((bytes) => Buffer.from(bytes))).toEqual([der, other.der]);
    }
    expect(rfc9440.chain?.decode('')).toEqual([]);
  });

  test.each([
    ['without colons', base64],
    ['without the last colon', `:${base64}`],
    ['without the first colon', `${base64}:`],
    ['one colon', ':'],
    ['two colons', '::'],
    ['three colons', ':::'],
    ['two items', `:${base64}:, :${base64}:`],
    ['a parameter', `:${base64}:;a=1`],
    ['a space within', `:${base64.slice(0, 8)} ${base64.slice(8)}:`],
    ['a space before', ` :${base64}:`],
    ['a space after the first colon', `: ${base64}:`],
    ['base64url', `:${Buffer.from(der).toString('base64url')}-:`],
    ['padding left out, or too much', `:${base64.endsWith('=') ? base64.replace(/=+$/, '') : `${base64}=`}:`],
    ['a string', `"${base64}"`],
    ['the PEM', `:${Buffer.from(pem).toString('base64')}:`],
    ['the escaped PEM', encodeURIComponent(pem)],
    ['trailing bytes', `:${Buffer.concat([der, Buffer.of(0)]).toString('base64')}:`],
    ['two certificates', `:${Buffer.concat([der, other.der]).toString('base64')}:`],
  ])('is rejected: %s', (_, value) => {
    expect(() => read(value)).toThrow(CertificateError);
  });
});
