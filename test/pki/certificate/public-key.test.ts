import { expect, test } from 'vitest';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { createTestCa } from '../../support/certificates.ts';
import { bitString, childrenOf, contentOf, der, integer, objectIdentifier, sequence } from '../../support/der.ts';
import { keyPair, rsaPublicKey } from '../../support/keys.ts';

const ca = createTestCa();

const [ecAlgorithm = Buffer.of(), ecPoint = Buffer.of()] = childrenOf(
  keyPair('ec-p256', { reuse: true }).publicKey.export({ type: 'spki', format: 'der' }),
);
const [x, y] = [contentOf(ecPoint).subarray(2, 34), contentOf(ecPoint).subarray(34)];
const sign = (y.at(-1) ?? 0) & 1;
const withPoint = (...content: readonly Uint8Array[]) => sequence(ecAlgorithm, bitString(Buffer.concat(content)));
const form = (byte: number) => Buffer.of(byte);

const [rsaAlgorithm = Buffer.of(), rsaKey = Buffer.of()] = childrenOf(rsaPublicKey({ bits: 2048 }));
const [modulus = Buffer.of()] = childrenOf(contentOf(rsaKey).subarray(1));
const digits = contentOf(modulus).subarray(1);
const exponent = integer(65537n);
const withNumbers = (first: Uint8Array, second: Uint8Array, algorithm = rsaAlgorithm) =>
  sequence(algorithm, bitString(sequence(first, second)));
const x509Rsa = sequence(objectIdentifier('2.5.8.1.1'), der(0x05));

const negative = 'has an RSA key with a negative number (RFC 8017 §3.1)';
const otherForm = 'has an EC key whose point is neither compressed nor uncompressed (RFC 5480 §2.2)';
const undecodable = 'has a public key that is malformed or of an unknown type (algorithm 1.2.840.10045.2.1)';

test.each<[string, Uint8Array]>([
  ['an uncompressed point', withPoint(form(4), x, y)],
  ['a compressed point', withPoint(form(2 + sign), x)],
  ['an RSA key', withNumbers(modulus, exponent)],
])('a certificate is accepted with %s', (_, publicKey) => {
  expect(parseClientCertificate(ca.issue({ publicKey }).der).subjectText).toBe('CN=client');
});

test.each<[string, Uint8Array, string]>([
  ['the point at infinity, for which anyone can sign', withPoint(form(0)), otherForm],
  ['a point in the hybrid form', withPoint(form(6 + sign), x, y), otherForm],
  ['no point', withPoint(), otherForm],
  ['a point beside the curve', withPoint(form(4), x, x), undecodable],
  ['a point and another byte', withPoint(form(4), x, y, Buffer.of(0)), undecodable],
  ['a negative modulus, which OpenSSL takes for the positive one', withNumbers(der(0x02, digits), exponent), negative],
  ['a negative exponent', withNumbers(modulus, der(0x02, Buffer.of(0x81, 0, 1))), negative],
  [
    'a padded modulus of the RSA of X.509 (1988)',
    withNumbers(der(0x02, Buffer.of(0), contentOf(modulus)), exponent, x509Rsa),
    'an INTEGER that is not minimally encoded',
  ],
])('a certificate is rejected with %s', (_, publicKey, reason) => {
  expect(() => parseClientCertificate(ca.issue({ publicKey }).der)).toThrow(reason);
});
