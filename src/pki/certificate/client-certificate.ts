import { type Certificate, parseCertificate } from './certificate.ts';
import { CertificateError } from './certificate-error.ts';

/** A certificate that may identify a client. Its issuer is not verified and its validity period not yet checked. */
export type ClientCertificate = Certificate;

/**
 * The longest DER that is parsed of a received certificate: clients choose its size, and proxies forward it in a header.
 * A configured CA certificate can be longer.
 */
export const MAX_CERTIFICATE_BYTES = 16_384;

/**
 * Parses one DER certificate and rejects those too weak to identify a client.
 *
 * @throws {CertificateError} when it is not the DER of one acceptable certificate
 */
export function parseClientCertificate(der: Uint8Array): ClientCertificate {
  requireCertificateSize(der);
  const { certificate } = parseCertificate(der);
  requireClientAuthUsage(certificate);
  return certificate;
}

/** @throws {CertificateError} when it is too long to be parsed */
export function requireCertificateSize({ length }: Uint8Array): void {
  if (length <= MAX_CERTIFICATE_BYTES) return;
  throw new CertificateError(`is ${length} bytes long; at most ${MAX_CERTIFICATE_BYTES} are accepted`);
}

/**
 * Rejects a certificate that a client may not present: a CA certificate, or one restricted to other uses.
 *
 * @throws {CertificateError} naming the rule
 */
function requireClientAuthUsage(certificate: Certificate): void {
  const { basicConstraints, extendedKeyUsage } = certificate;
  if (basicConstraints.isCa) {
    throw new CertificateError('is a CA certificate (basicConstraints CA:TRUE); a client needs CA:FALSE', {
      code: 'certificate_is_ca',
      certificate,
    });
  }
  if (extendedKeyUsage && !extendedKeyUsage.has('clientAuth')) {
    throw new CertificateError('is not a client certificate: its extended key usage lacks clientAuth', {
      code: 'certificate_purpose_wrong',
      certificate,
    });
  }
}

/**
 * Checks the validity period. Called on every request, also for certificates from the cache.
 *
 * @param now milliseconds since the epoch
 * @throws {CertificateError}
 */
export function requireValidAt(certificate: Pick<Certificate, 'notBefore' | 'notAfter'>, now: number): void {
  const { notBefore, notAfter } = certificate;
  const endOfLastSecond = notAfter + 999;
  if (now < notBefore)
    throw new CertificateError(`is not valid before ${new Date(notBefore).toISOString()}`, {
      code: 'certificate_not_yet_valid',
    });
  if (now > endOfLastSecond)
    throw new CertificateError(`expired at ${new Date(notAfter).toISOString()}`, { code: 'certificate_expired' });
  if (notBefore <= now && now <= endOfLastSecond) return;
  throw new CertificateError('has a malformed validity period');
}
