import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import type { HeaderFormat } from '../../../src/terminator/format.ts';
import { awsAlb, awsAlbPassthrough } from '../../../src/terminator/formats/aws-alb.ts';
import { createTestCa, toPem } from '../../support/certificates.ts';

const root = createTestCa();
const middle = root.issueIntermediate();
const { der, pem, thumbprint } = middle.issue();
/** `+`, `/` and `=` are safe characters. */
const escaped = (text: string) => text.replaceAll(' ', '%20').replaceAll('\n', '%0A');
const read = (format: HeaderFormat, value: string) => parseClientCertificate(format.decode(value).leaf);

const rejectedByBoth: readonly (readonly [title: string, value: string])[] = [
  ['the PEM', pem],
  ['+ for spaces', escaped(pem).replaceAll('%20', '+')],
  ['lower-case digits', escaped(pem).replaceAll('%0A', '%0a')],
  ['an escaped hyphen', escaped(pem).replace('-', '%2D')],
  ['+ / = escaped', encodeURIComponent(pem)],
  ['escaped twice', encodeURIComponent(escaped(pem))],
  ['text before it', `x${escaped(pem)}`],
  ['text after it', `${escaped(pem)}x`],
  ['two values joined by a comma', `${escaped(pem)}, ${escaped(pem)}`],
  ['the base64 of the DER', Buffer.from(der).toString('base64')],
  ["RFC 9440's form", `:${Buffer.from(der).toString('base64')}:`],
  ['bytes after the DER', escaped(toPem(Buffer.concat([der, Buffer.of(0)])))],
  ['two certificates in one block', escaped(toPem(Buffer.concat([der, middle.der])))],
];

describe('AWS ALB in verify mode, according to its documentation', () => {
  test.each([
    ['with the last line feed', escaped(pem)],
    ['without the last line feed', escaped(pem.trimEnd())],
  ])('the leaf: %s', (_, value) => {
    expect(read(awsAlb, value).thumbprint).toBe(thumbprint);
  });

  test.each<readonly [title: string, value: string]>([...rejectedByBoth, ['a chain', escaped(pem + middle.pem)]])(
    'is rejected: %s',
    (_, value) => {
      expect(() => read(awsAlb, value)).toThrow(CertificateError);
    },
  );
});

describe('AWS ALB in passthrough mode, according to its documentation', () => {
  test.each([
    ['the leaf alone', escaped(pem), []],
    ['a chain', escaped(pem + middle.pem + root.pem), [middle.der, root.der]],
  ])('the certificates: %s', (_, value, chain) => {
    expect(read(awsAlbPassthrough, value).thumbprint).toBe(thumbprint);
    expect(awsAlbPassthrough.decode(value).chain.map((bytes) => Buffer.from(bytes))).toEqual(chain);
  });

  test('the leaf is the first, regardless of the others', () => {
    expect(() => read(awsAlbPassthrough, escaped(middle.pem + pem))).toThrow('is a CA certificate');
  });

  test.each<readonly [title: string, value: string]>([
    ...rejectedByBoth,
    ['text between', escaped(`${pem}x\n${middle.pem}`)],
    ['a comma between', `${escaped(pem)},${escaped(middle.pem)}`],
    ['a leaf and eleven', escaped(pem + middle.pem.repeat(11))],
    ['a key in the chain', escaped(pem + toPem(Buffer.of(0x30, 0), 'PRIVATE KEY'))],
    ['a chain with + / = escaped', `${escaped(pem)}${encodeURIComponent(toPem(Buffer.of(0x30, 0)))}`],
  ])('is rejected: %s', (_, value) => {
    expect(() => read(awsAlbPassthrough, value)).toThrow(CertificateError);
  });
});
