import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate/certificate.ts';
import { isSignedByKey } from '../../../src/pki/certificate/certificate-signature.ts';
import { createTestCa } from '../../support/certificates.ts';
import { bitString, childrenOf, contentOf, der, objectIdentifier, sequence } from '../../support/der.ts';
import { type KeyType, keyPair, pssAlgorithm, signatureAlgorithm, signatureOver } from '../../support/keys.ts';

const keyTypes = [
  ...(['ec-p256', 'ec-p384', 'ec-p521', 'ec-brainpool-p256r1', 'rsa-2048', 'rsa-pss-2048'] as const),
  ...(['ed25519', 'ed448', 'ml-dsa-44', 'ml-dsa-65'] as const),
] satisfies readonly KeyType[];

const keys = Object.fromEntries(keyTypes.map((type) => [type, keyPair(type, { reuse: true })]));
const ec = keyPair('ec-p256', { reuse: true });
const pss = keyPair('rsa-pss-2048', { reuse: true });

const [original = Buffer.of()] = childrenOf(createTestCa().issue().der);
const SERIAL_NUMBER = 1;
const ALGORITHM = 2;

/** A TBSCertificate that names this algorithm. */
function tbsWith(algorithm: Uint8Array, serialNumber = 1): Uint8Array {
  const fields = childrenOf(original).with(ALGORITHM, algorithm);
  return sequence(...fields.with(SERIAL_NUMBER, der(0x02, Buffer.of(serialNumber))));
}

/** Whether this key signed a certificate with this algorithm and signature. */
function isSigned(algorithm: Uint8Array, signature: (tbs: Uint8Array) => Uint8Array, key: KeyObject): boolean {
  const tbs = tbsWith(algorithm);
  return isSignedByKey(parseCertificate(sequence(tbs, algorithm, bitString(signature(tbs)))).certificate, key);
}

describe.each(keyTypes)('a certificate signed by a key of type %s', (type) => {
  const { privateKey, publicKey } = keyPair(type, { reuse: true });
  const algorithm = signatureAlgorithm(privateKey, 'SHA-256');
  const signed = (tbs: Uint8Array) => signatureOver(tbs, privateKey, 'SHA-256');

  test('is signed by this key and no other', () => {
    const signers = Object.entries(keys).filter(([, other]) => isSigned(algorithm, signed, other.publicKey));
    expect(signers.map(([name]) => name)).toEqual([type]);
    expect(isSigned(algorithm, signed, keyPair(type, { reuse: false }).publicKey)).toBe(false);
  });

  test('is signed over its own bytes only', () => {
    expect(isSigned(algorithm, () => signed(tbsWith(algorithm, 2)), publicKey)).toBe(false);
  });

  test.each<[string, (signature: Uint8Array) => Uint8Array]>([
    ['empty', () => Buffer.of()],
    ['shorter', (signature) => signature.subarray(0, -1)],
    ['longer', (signature) => Buffer.concat([signature, Buffer.of(0)])],
    ['changed', (signature) => Uint8Array.from(signature, (byte, index) => (index === 40 ? byte ^ 1 : byte))],
  ])('is not signed if the signature is %s', (_, change) => {
    expect(isSigned(algorithm, (tbs) => change(signed(tbs)), publicKey)).toBe(false);
  });

  test('is not signed under the algorithm of another type of key', () => {
    const others = Object.values(keys).filter(
      (other) => other.privateKey.asymmetricKeyType !== privateKey.asymmetricKeyType,
    );
    const algorithms = others.map((other) => signatureAlgorithm(other.privateKey, 'SHA-256'));
    expect(algorithms.map((each) => isSigned(each, signed, publicKey))).toEqual(algorithms.map(() => false));
  });
});

describe('an ECDSA signature', () => {
  const algorithm = signatureAlgorithm(ec.privateKey, 'SHA-256');
  const change = (encode: (r: Uint8Array, s: Uint8Array) => Uint8Array) => (tbs: Uint8Array) => {
    const [r = Buffer.of(), s = Buffer.of()] = childrenOf(signatureOver(tbs, ec.privateKey, 'SHA-256'));
    return encode(r, s);
  };

  test('is the DER of two integers', () => {
    expect(isSigned(algorithm, change(sequence), ec.publicKey)).toBe(true);
  });

  const zero = der(0x02, Buffer.of(0));
  test.each<[string, (tbs: Uint8Array) => Uint8Array]>([
    ['of a fixed length, as in JOSE', (tbs) => sign('SHA256', tbs, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })],
    [
      'a longer length than needed',
      change((r, s) => Buffer.concat([Buffer.of(0x30, 0x81, r.length + s.length), r, s])),
    ],
    ['an indefinite length', change((r, s) => Buffer.concat([Buffer.of(0x30, 0x80), r, s, Buffer.of(0, 0)]))],
    ['a padded integer', change((r, s) => sequence(der(0x02, Buffer.of(0, 0), contentOf(r)), s))],
    ['a third integer', change((r, s) => sequence(r, s, zero))],
    ['r of zero', change((_, s) => sequence(zero, s))],
    ['s of zero', change((r) => sequence(r, zero))],
  ])('is not one with %s', (_, signature) => {
    expect(isSigned(algorithm, signature, ec.publicKey)).toBe(false);
  });
});

describe('an RSASSA-PSS signature', () => {
  const signed = (tbs: Uint8Array) => signatureOver(tbs, pss.privateKey, 'SHA-256');

  test('can be by a key of rsaEncryption', () => {
    expect(isSigned(pssAlgorithm('SHA-256'), signed, asRsaKey(pss.publicKey))).toBe(true);
  });

  test.each([
    ['another salt length', pssAlgorithm('SHA-256', 'SHA-256', 20n)],
    ['another hash', pssAlgorithm('SHA-512', 'SHA-256', 32n)],
    ['another hash of MGF1', pssAlgorithm('SHA-256', 'SHA-512', 32n)],
    ['another hash, SHA-1,', pssAlgorithm('SHA-1')],
  ])('is not one with %s than the certificate names', (_, algorithm) => {
    expect(isSigned(algorithm, signed, pss.publicKey)).toBe(false);
    expect(isSigned(algorithm, signed, asRsaKey(pss.publicKey))).toBe(false);
  });

  test('has the hash of MGF1 that the certificate names', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      hashAlgorithm: 'sha256',
      mgf1HashAlgorithm: 'sha1',
    });
    const signedWithSha1 = (tbs: Uint8Array) => signatureOver(tbs, privateKey, 'SHA-256');
    for (const key of [publicKey, asRsaKey(publicKey)]) {
      expect(isSigned(pssAlgorithm('SHA-256', 'SHA-1'), signedWithSha1, key)).toBe(true);
      expect(isSigned(pssAlgorithm('SHA-256'), signedWithSha1, key)).toBe(false);
    }
  });
});

/** The same modulus and exponent, for any use of RSA. */
function asRsaKey(key: KeyObject): KeyObject {
  const [, numbers = Buffer.of()] = childrenOf(key.export({ type: 'spki', format: 'der' }));
  const spki = sequence(sequence(objectIdentifier('1.2.840.113549.1.1.1'), der(0x05)), numbers);
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}
