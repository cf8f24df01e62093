import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { type CertificateOptions, createTestCa } from '../../support/certificates.ts';
import { sequence } from '../../support/der.ts';
import { rsaPublicKey } from '../../support/keys.ts';
import { verifyChain } from '../../support/verify-chain.ts';

const root = createTestCa({ subject: [['CN', 'Root']] });
const signedWithSha1 = createTestCa({ subject: [['CN', 'RSA root']], keyType: 'rsa-2048' });
const explicitCurve = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).publicKey.export({
  type: 'spki',
  format: 'der',
});
const basicConstraints = '2.5.29.19';

describe('who is no authority helps no path, configured or forwarded', () => {
  test.each<[string, CertificateOptions, string]>([
    ['X.509 v1', { version: 1 }, 'is X.509 v1'],
    ['CA:FALSE', { ca: false }, 'is not a CA certificate: its basicConstraints lack CA:TRUE (RFC 5280 §6.1.4 (k))'],
    ['without basic constraints', { withoutExtensions: [basicConstraints] }, 'is not a CA certificate'],
    ['with empty basic constraints', { rawBasicConstraints: sequence() }, 'is not a CA certificate'],
    ['without keyCertSign', { keyUsage: ['cRLSign', 'digitalSignature'] }, 'lacks keyCertSign (RFC 5280 §6.1.4 (n))'],
    ['with RSA of 1024 bits', { keyType: 'rsa-1024' }, 'has an RSA key of 1024 bits'],
    ['with RSA of 2047 bits', { publicKey: rsaPublicKey({ bits: 2047 }) }, 'has an RSA key of 2047 bits'],
    ['with RSA and exponent 3', { keyType: 'rsa-2048-e3' }, 'has an RSA key with exponent 3'],
    ['with a curve that is written out', { publicKey: explicitCurve }, 'has an EC key on an unnamed curve'],
    ['with secp256k1', { keyType: 'ec-secp256k1' }, 'has an EC key on secp256k1'],
  ])('%s', (_, options, reason) => {
    const unfit = root.issueIntermediate(options);
    expect(() => parseCaCertificate(unfit.der)).toThrow(reason);
    expect(verifyChain({ configured: [root], leaf: unfit.issue(), forwarded: [unfit] })).toMatchObject({
      verified: false,
      reason: expect.stringContaining('forwarded certificate 1 '),
    });
    expect(verifyChain({ configured: [root], leaf: unfit.issue(), forwarded: [unfit] }).reason).toContain(reason);
  });
});

describe('signatures that are too weak', () => {
  test('SHA-1 over an intermediate', () => {
    const weak = signedWithSha1.issueIntermediate({ subject: [['CN', 'Weak']], signatureHash: 'SHA-1' });
    const pki = { configured: [signedWithSha1, weak], leaf: weak.issue() };
    expect(verifyChain(pki).reason).toMatch(
      /^CA "CN=Weak" .* algorithm that is not accepted \(SHA-1, MD5 or unknown\)/,
    );
  });

  test('SHA-1 of a root over itself vouches for nothing, and is not asked', () => {
    const old = createTestCa({ keyType: 'rsa-2048', signatureHash: 'SHA-1' });
    expect(verifyChain({ configured: [old], leaf: old.issue() }).verified).toBe(true);
  });
});
