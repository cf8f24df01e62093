import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { traefik } from '../../../src/terminator/formats/traefik.ts';
import { createTestCa } from '../../support/certificates.ts';

const root = createTestCa();
const middle = root.issueIntermediate();
const { der, pem, thumbprint } = middle.issue();
const encode = (...ders: readonly Uint8Array[]) => Buffer.concat(ders).toString('base64');
const read = (value: string) => parseClientCertificate(traefik.decode(value).leaf);

describe('Traefik, according to its source', () => {
  test.each([
    ['the leaf alone', [der]],
    ['a leaf and an intermediate', [der, middle.der]],
    ['a leaf and ten', [der, ...Array(10).fill(middle.der)]],
  ])('the certificates: %s', (_, sent) => {
    const value = sent.map((bytes) => encode(bytes)).join(',');
    expect(read(value).thumbprint).toBe(thumbprint);
    expect(traefik.decode(value).chain.map((bytes) => Buffer.from(bytes))).toEqual(sent.slice(1));
  });

  test('the leaf is the first, regardless of the others', () => {
    expect(() => read(`${encode(middle.der)},${encode(der)}`)).toThrow('is a CA certificate');
  });

  test.each([
    ['a PEM', pem],
    ['the escaped PEM', encodeURIComponent(pem)],
    ['percent-encoded, as before 2.9.4', encodeURIComponent(encode(der))],
    ["RFC 9440's form", `:${encode(der)}:`],
    ['a space after the comma', `${encode(der)}, ${encode(middle.der)}`],
    ['a comma at the end', `${encode(der)},`],
    ['a comma at the start', `,${encode(der)}`],
    ['two commas', `${encode(der)},,${encode(middle.der)}`],
    ['a comma alone', ','],
    ['thousands of commas', ','.repeat(60_000)],
    ['a leaf and eleven', [der, ...Array(11).fill(middle.der)].map((bytes) => encode(bytes)).join(',')],
    ['two certificates in one', encode(der, middle.der)],
    ['two certificates of the chain in one', `${encode(der)},${encode(middle.der, root.der)}`],
    ['bytes after the chain', `${encode(der)},${encode(middle.der, Buffer.of(0))}`],
    ['a chain of something else', `${encode(der)},${encode(Buffer.from('x'))}`],
    ['an escaped comma', `${encode(der)}%2C${encode(middle.der)}`],
    ['junk after it', `${encode(der)}!`],
  ])('is rejected: %s', (_, value) => {
    expect(() => read(value)).toThrow(CertificateError);
  });
});
