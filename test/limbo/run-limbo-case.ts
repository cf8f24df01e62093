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
  readonly kind: 'agreement' | 'wrong acceptance' | 'wrong refusal' | 'apart';
  /** Why we accept or refuse, or what sets the case apart. */
  readonly reason: string;
  readonly milliseconds: number;
}

/**
 * Judges a case as the server judges a client. Where it is about a server's certificate, the leaf's purpose is not
 * asked; cases whose outcome hangs on something that we do not decide are set apart.
 */
export function runLimboCase(limbo: LimboCase): LimboOutcome {
  const start = performance.now();
  const { verified, reason } = judge(limbo);
  const milliseconds = performance.now() - start;
  const apart = outOfScope(limbo);
  if (apart !== undefined) return { id: limbo.id, kind: 'apart', reason: apart, milliseconds };
  return { id: limbo.id, kind: kindOf(verified, limbo.expected_result === 'SUCCESS'), reason, milliseconds };
}

function kindOf(verified: boolean, expected: boolean): LimboOutcome['kind'] {
  if (verified === expected) return 'agreement';
  return verified ? 'wrong acceptance' : 'wrong refusal';
}

function judge(limbo: LimboCase): { readonly verified: boolean; readonly reason: string } {
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
  const { certificate, openssl } = parseCertificate(der);
  if (certificate.basicConstraints.isCa || openssl.ca) throw new CertificateError('is a CA certificate');
  return certificate;
}

function derOf(pem: string): Uint8Array {
  const [der, ...more] = parseCertificateFile(Buffer.from(pem));
  if (!der || more.length > 0) throw new CertificateError('not one certificate in PEM');
  return der;
}
