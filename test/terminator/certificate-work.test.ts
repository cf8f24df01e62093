import { beforeEach, describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { createTrustStore } from '../../src/pki/path/trust-store.ts';
import { createChainVerifier, type VerifyChain } from '../../src/pki/path/verify-chain.ts';
import { type CertificateReader, createCertificateReader } from '../../src/terminator/certificate-reader.ts';
import { certificateWork } from '../support/certificate-work.ts';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { forwardedAs } from '../support/forwarded-as.ts';

const root = createTestCa();
const intermediate = root.issueIntermediate();
const trust = createTrustStore([root, intermediate].map(({ der }) => parseCaCertificate(der)));

let read: CertificateReader;
let verify: VerifyChain;

beforeEach(() => {
  read = createCertificateReader('traefik');
  verify = createChainVerifier(() => trust);
});

/** Reads a certificate and verifies its chain, as a token request does. */
function present(leaf: MintedCertificate, ...chain: MintedCertificate[]): boolean {
  const [encoded = ''] = Object.values(forwardedAs.traefik(leaf, chain));
  return verify(read({ encoded, encodedChain: undefined }), Date.now()).verified;
}

describe('OpenSSL decodes no key of a new certificate and verifies one signature', () => {
  test.each<[string, MintedCertificate, MintedCertificate[]]>([
    ['of a root', root.issue(), []],
    ['of an intermediate, whose own signature was verified before', intermediate.issue(), []],
    ['of an intermediate that is configured and forwarded', intermediate.issue(), [intermediate, root]],
  ])('%s', (_, leaf, chain) => {
    present(intermediate.issue());
    let isVerified = false;
    const work = certificateWork(() => {
      isVerified = present(leaf, ...chain);
    });
    expect([isVerified, work]).toEqual([true, { parsed: 0, keys: 0, verified: 1 }]);
  });

  test('and none if no CA has its issuer name', () => {
    const stranger = selfSigned();
    expect(certificateWork(() => void present(stranger))).toEqual({ parsed: 0, keys: 0, verified: 0 });
  });

  test('but a key of a type that is rare, once', () => {
    const leaf = root.issue({ keyType: 'ed25519' });
    expect(certificateWork(() => void present(leaf))).toEqual({ parsed: 0, keys: 1, verified: 1 });
  });
});

test('a certificate that returns is neither decoded nor verified, however often', () => {
  const leaf = intermediate.issue();
  present(leaf, intermediate);
  const work = certificateWork(() => {
    for (let request = 0; request < 1_000; request++) expect(present(leaf, intermediate)).toBe(true);
  });
  expect(work).toEqual({ parsed: 0, keys: 0, verified: 0 });
});
