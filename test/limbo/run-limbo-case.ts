import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate/certificate.ts';
import { CertificateError } from '../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { parseCertificateFile } from '../../src/pki/certificate/pem.ts';
import { buildPaths } from '../../src/pki/path/build-paths.ts';
import { createTrustStore } from '../../src/pki/path/trust-store.ts';
import { selectValidPaths } from '../../src/pki/path/verify-chain.ts';
import type { LimboCase } from './limbo-file.ts';
import { outOfScope } from './out-of-scope.ts';

export interface LimboOutcome {
  readonly id: string;
  readonly kind: 'agreement' | 'wrong acceptance' | 'wrong rejection' | 'out of scope';
  /** Why the certificate is accepted or rejected, or why the case is out of scope. */
  readonly reason: string;
  readonly milliseconds: number;
}

/**
 * Verifies the certificate of a case as the server verifies a client. The extended key usage of a server's certificate
 * is not checked. Cases that depend on something else than path validation are out of scope.
 */
export function runLimboCase(limbo: LimboCase): LimboOutcome {
  const start = performance.now();
  const { verified, reason } = verify(limbo);
  const milliseconds = performance.now() - start;
  const exclusion = outOfScope(limbo);
  if (exclusion !== undefined) return { id: limbo.id, kind: 'out of scope', reason: exclusion, milliseconds };
  return { id: limbo.id, kind: kindOf(verified, limbo.expected_result === 'SUCCESS'), reason, milliseconds };
}

function kindOf(verified: boolean, expected: boolean): LimboOutcome['kind'] {
  if (verified === expected) return 'agreement';
  return verified ? 'wrong acceptance' : 'wrong rejection';
}

function verify(limbo: LimboCase): { readonly verified: boolean; readonly reason: string } {
  try {
    const trust = createTrustStore(limbo.trusted_certs.map((pem) => parseCaCertificate(derOf(pem))));
    const forwarded = limbo.untrusted_intermediates.map(derOf);
    const now = limbo.validation_time ? Date.parse(limbo.validation_time) : Date.now();
    return selectValidPaths(buildPaths(leafOf(limbo), forwarded, trust), now);
  } catch (error) {
    if (error instanceof CertificateError) return { verified: false, reason: error.message };
    throw error;
  }
}

function leafOf({ peer_certificate: pem, validation_kind: kind }: LimboCase): Certificate {
  const der = derOf(pem);
  if (kind === 'CLIENT') return parseClientCertificate(der);
  const { certificate } = parseCertificate(der);
  if (certificate.basicConstraints.isCa) throw new CertificateError('is a CA certificate');
  return certificate;
}

function derOf(pem: string): Uint8Array {
  const [der, ...more] = parseCertificateFile(Buffer.from(pem)).certificates;
  if (!der || more.length > 0) throw new CertificateError('not one certificate in PEM');
  return der;
}
