import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { haproxy } from '../../../src/terminator/formats/haproxy.ts';
import { createTestCa } from '../../support/certificates.ts';

const root = createTestCa();
const middle = root.issueIntermediate();
const { der, pem, thumbprint } = middle.issue();
const encode = (...ders: readonly Uint8Array[]) => Buffer.concat(ders).toString('base64');
const value = encode(der);
const read = (text: string) => parseClientCertificate(haproxy.decode(text).leaf);

describe('HAProxy', () => {
  test('the certificate', () => {
    expect(read(value).thumbprint).toBe(thumbprint);
    expect(haproxy.decode(value).chain).toEqual([]);
  });

  test.each([
    ['none, as on a resumed session', '', []],
    ['an intermediate', encode(middle.der), [middle.der]],
    ['an intermediate and the root', encode(middle.der, root.der), [middle.der, root.der]],
  ])('the chain: %s', (_, text, expected) => {
    expect(haproxy.chain?.decode(text).map((bytes) => Buffer.from(bytes))).toEqual(expected);
  });

  test.each([
    ['bytes after it', encode(middle.der, Buffer.of(0))],
    ['bytes before it', encode(Buffer.of(0), middle.der)],
    ['half of one', encode(middle.der, root.der.subarray(0, 40))],
    ['two values', `${encode(middle.der)},${encode(root.der)}`],
    ['a PEM', middle.pem],
    ['no padding', encode(Buffer.of(0x30, 0)).replace('=', '')],
    ['eleven', encode(...Array(11).fill(root.der))],
  ])('a chain is rejected: %s', (_, text) => {
    expect(() => haproxy.chain?.decode(text)).toThrow(CertificateError);
  });

  test.each([
    ['a PEM', pem],
    ['the base64 of a PEM', Buffer.from(pem).toString('base64')],
    ['the escaped PEM', encodeURIComponent(pem)],
    ["RFC 9440's form", `:${value}:`],
    ['two values joined by a comma', `${value}, ${value}`],
    ['two certificates', encode(der, middle.der)],
    ['a byte after the DER', encode(der, Buffer.of(0))],
    ['base64url', `${value.replaceAll('+', '-').replaceAll('/', '_')}-_`],
    ['no padding, or too much', value.endsWith('=') ? value.replace(/=+$/, '') : `${value}=`],
    ['a space within', `${value.slice(0, 64)} ${value.slice(64)}`],
    ['junk after it', `${value}!`],
    ['junk before it', `!${value}`],
    ['hexadecimal', Buffer.from(der).toString('hex')],
  ])('is rejected: %s', (_, text) => {
    expect(() => read(text)).toThrow(CertificateError);
  });
});
