import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { decodeConcatenatedPem } from '../../../src/terminator/encodings/pem.ts';
import { octetString, sequence } from '../../support/der.ts';

const toPem = (bytes: Uint8Array) => {
  const lines = Buffer.from(bytes)
    .toString('base64')
    .replace(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
};
const ders = Array.from({ length: 12 }, (_, index) => sequence(octetString(Buffer.alloc(60, index))));
const [first = Buffer.of(), second = Buffer.of(), third = Buffer.of()] = ders;
const pems = (...list: readonly Uint8Array[]) => list.map((der) => toPem(der)).join('');

describe('concatenated PEM blocks', () => {
  test.each([
    ['the leaf alone', [first]],
    ['a leaf and a chain', [first, second, third]],
    ['a leaf and ten', ders.slice(0, 11)],
  ])('are decoded: %s', (_, list) => {
    for (const text of [pems(...list), pems(...list).trimEnd()]) {
      const { leaf, chain } = decodeConcatenatedPem(text);
      expect([leaf, ...chain].map((der) => Buffer.from(der))).toEqual(list);
    }
  });

  test.each([
    ['absent', '', 'not a PEM'],
    ['text before them', `x\n${pems(first, second)}`, 'does not start'],
    ['text between them', `${pems(first)}x\n${pems(second)}`, 'not exactly one canonical PEM block'],
    ['an empty line between them', `${pems(first)}\n${pems(second)}`, 'not exactly one canonical PEM block'],
    ['text after them', `${pems(first, second)}x`, 'not exactly one canonical PEM block'],
    ['two line feeds after them', `${pems(first, second)}\n`, 'not exactly one canonical PEM block'],
    ['no line feed between them', `${pems(first).trimEnd()}${pems(second)}`, 'no line feed between'],
    ['a first one without end', pems(first, second).replace('-----END CERTIFICATE-----\n', ''), 'END line is missing'],
    [
      'a second one without end',
      pems(first, second).replace(/-----END CERTIFICATE-----\n$/, ''),
      'END line is missing',
    ],
    ['a leaf and eleven', pems(...ders), 'more than 10 certificates'],
    ['a chain with bytes after the DER', pems(first, Buffer.concat([second, Buffer.of(0)])), '1 trailing bytes'],
    ['two certificates of the chain in one block', pems(first, Buffer.concat([second, third])), 'trailing bytes'],
    ['a chain of something else', pems(first, Buffer.of(4, 1, 0)), 'not a DER SEQUENCE'],
    ['an empty block', `${pems(first)}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n`, 'not a DER SEQUENCE'],
  ])('are rejected: %s', (_, text, reason) => {
    const decode = () => decodeConcatenatedPem(text);
    expect(decode).toThrow(CertificateError);
    expect(decode).toThrow(reason);
  });
});
