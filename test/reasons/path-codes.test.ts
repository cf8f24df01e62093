import { expect, test } from 'vitest';
import { CertificateError } from '../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import type { ReasonCode } from '../../src/reasons/reasons.ts';
import { chainStatus } from '../../src/terminator/chain-verification.ts';
import { failureOf } from '../../src/terminator/verification-results.ts';
import { chainBelow } from '../support/ca-chain.ts';
import { type CertificateOptions, createTestCa } from '../support/certificates.ts';
import { der, sequence } from '../support/der.ts';
import { x509v1 } from '../support/der-surgery.ts';
import { rsaPublicKey } from '../support/keys.ts';
import { verifyChain } from '../support/verify-chain.ts';

const day = 86_400_000;
const past = { notBefore: new Date(0), notAfter: new Date(day) };
const future = { notBefore: new Date(Date.now() + day), notAfter: new Date(Date.now() + 2 * day) };

/** Of the leaf below a CA with these options. */
function pathCode(ca: CertificateOptions, leaf: CertificateOptions = {}) {
  const issuer = createTestCa(ca);
  return verifyChain({ configured: [issuer], leaf: issuer.issue(leaf) });
}

const extension = (oid: string, value: Uint8Array) => ({ extraExtensions: [{ oid, critical: true, value }] });
/** Otherwise a CA of the same name, but with another key, is not even tried. */
const withoutKeyIds = { withoutExtensions: ['2.5.29.14', '2.5.29.35'] };
const onlyBelowExample = sequence(der(0xa0, sequence(der(0x82, Buffer.from('example')))));

test.each<[ReasonCode, () => object]>([
  ['path_signature_weak', () => pathCode({}, { signatureHash: 'SHA-1' })],
  ['path_expired', () => pathCode(past)],
  ['path_not_yet_valid', () => pathCode(future)],
  ['path_purpose_wrong', () => pathCode({ eku: 'server' })],
  ['path_extension_unknown', () => pathCode(extension('1.3.6.1.4.1.99999.7', Buffer.of(5, 0)))],
  ['path_policy', () => pathCode(extension('2.5.29.36', sequence(der(0x80, Buffer.of(0)))))],
  ['path_name_constraint', () => pathCode(extension('2.5.29.30', onlyBelowExample), { dns: ['a.test'] })],
  [
    'path_signature_invalid',
    () => verifyChain({ configured: [createTestCa(withoutKeyIds)], leaf: createTestCa().issue(withoutKeyIds) }),
  ],
  [
    'path_too_long',
    () => {
      const { cas, last } = chainBelow(createTestCa({ pathLength: 0 }), [{}]);
      return verifyChain({ configured: cas, leaf: last.issue() });
    },
  ],
])('%s is the code of a certification path', (code, status) => {
  expect(status()).toMatchObject({ verified: false, code });
});

const ca = createTestCa();

test.each<[ReasonCode, Uint8Array]>([
  ['certificate_malformed', Buffer.of(0x30, 0)],
  ['certificate_version_unsupported', x509v1(ca).der],
  ['certificate_key_unacceptable', ca.issue({ publicKey: rsaPublicKey({ bits: 1024, exponent: 65537n }) }).der],
  ['certificate_purpose_wrong', ca.issue({ eku: 'server' }).der],
])('%s is the code of a certificate', (code, certificate) => {
  expect(() => parseClientCertificate(certificate)).toThrow(CertificateError);
  expect(() => parseClientCertificate(certificate)).toThrow(expect.objectContaining({ code }));
});

test('verification_unavailable and verification_contradicted are codes of a certificate that the terminator may verify', () => {
  const presented = { certificate: parseClientCertificate(ca.issue().der), chain: [] };
  const valid = () => ({ verified: true, reason: '', paths: [] }) as const;
  const absent = { result: 'absent', reason: 'x' } as const;
  expect(chainStatus(presented, absent, { by: 'none', fix: 'y', fields: [] }, valid)).toMatchObject({
    verified: false,
    code: 'verification_unavailable',
  });
  const failed = { result: 'failed', reason: 'x', failure: failureOf('FAILED') } as const;
  expect(chainStatus(presented, failed, { by: 'countersign', fields: [] }, valid)).toMatchObject({
    verified: false,
    code: 'verification_contradicted',
  });
  expect(failureOf('FAILED:unable to get local issuer certificate').code).toBe('verification_issuer_unknown');
});
