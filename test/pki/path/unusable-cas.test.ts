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

describe('a CA certificate is rejected, configured or forwarded', () => {
  test.each<[string, CertificateOptions, string]>([
    ['in X.509 v1', { version: 1 }, 'is X.509 v1'],
    [
      'with CA:FALSE',
      { ca: false },
      'is not a CA certificate: its basicConstraints lack CA:TRUE (RFC 5280 §6.1.4 (k))',
    ],
    ['without basic constraints', { withoutExtensions: [basicConstraints] }, 'is not a CA certificate'],
    ['with empty basic constraints', { rawBasicConstraints: sequence() }, 'is not a CA certificate'],
    ['without keyCertSign', { keyUsage: ['cRLSign', 'digitalSignature'] }, 'lacks keyCertSign (RFC 5280 §6.1.4 (n))'],
    ['with RSA of 1024 bits', { keyType: 'rsa-1024' }, 'has an RSA key of 1024 bits'],
    ['with RSA of 2047 bits', { publicKey: rsaPublicKey({ bits: 2047 }) }, 'has an RSA key of 2047 bits'],
    ['with RSA and exponent 3', { keyType: 'rsa-2048-e3' }, 'has an RSA key with exponent 3'],
    ['with explicit curve parameters', { publicKey: explicitCurve }, 'has an EC key on an unnamed curve'],
    ['with secp256k1', { keyType: 'ec-secp256k1' }, 'has an EC key on secp256k1; P-256, P-384, P-521, brainpoolP256r1'],
    ['with brainpoolP256t1', { keyType: 'ec-brainpool-p256t1' }, 'has an EC key on brainpoolP256t1'],
  ])('%s', (_, options, reason) => {
    const unusable = root.issueIntermediate(options);
    expect(() => parseCaCertificate(unusable.der)).toThrow(reason);
    expect(verifyChain({ configured: [root], leaf: unusable.issue(), forwarded: [unusable] })).toMatchObject({
      verified: false,
      reason: expect.stringContaining('forwarded certificate 1 '),
    });
    expect(verifyChain({ configured: [root], leaf: unusable.issue(), forwarded: [unusable] }).reason).toContain(reason);
  });
});

describe('a SHA-1 signature', () => {
  test('of an intermediate is rejected', () => {
    const weak = signedWithSha1.issueIntermediate({ subject: [['CN', 'Weak']], signatureHash: 'SHA-1' });
    const pki = { configured: [signedWithSha1, weak], leaf: weak.issue() };
    expect(verifyChain(pki).reason).toMatch(
      /^CA "CN=Weak" .* algorithm that is not accepted \(SHA-1, MD5 or unknown\)/,
    );
  });

  test('of a self-signed root is ignored, since it is not verified', () => {
    const old = createTestCa({ keyType: 'rsa-2048', signatureHash: 'SHA-1' });
    expect(verifyChain({ configured: [old], leaf: old.issue() }).verified).toBe(true);
  });
});
