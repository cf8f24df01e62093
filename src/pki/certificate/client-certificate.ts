import { type Certificate, type ParsedCertificate, parseCertificate } from './certificate.ts';
import { CertificateError } from './certificate-error.ts';
import { CLIENT_AUTH } from './extensions.ts';

/** A certificate that a client may show. It is not yet known who vouches for it, nor whether it is valid now. */
export type ClientCertificate = Certificate;

/** A DER longer than this is refused before it is read. */
export const MAX_CERTIFICATE_BYTES = 16_384;

/**
 * Parses one DER certificate and refuses those too weak to identify a client.
 *
 * @throws {CertificateError} when it is not the canonical DER of one acceptable certificate
 */
export function parseClientCertificate(der: Uint8Array): ClientCertificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new CertificateError(`is ${der.length} octets long; at most ${MAX_CERTIFICATE_BYTES} are accepted`);
  }
  return requireClientCertificate(parseCertificate(der));
}

/**
 * Refuses what is not a client's certificate to either of two readers of different make.
 *
 * @throws {CertificateError} naming the rule
 */
export function requireClientCertificate({
  certificate,
  openssl,
}: Pick<ParsedCertificate, 'certificate' | 'openssl'>): ClientCertificate {
  requireClientAuthUsage(certificate);
  if (openssl.ca) throw new CertificateError('is a CA certificate to OpenSSL');
  return certificate;
}

/**
 * Checks the validity period. It is asked on every request, also for a certificate that was parsed long ago.
 *
 * @param now milliseconds since the epoch
 * @throws {CertificateError}
 */
export function requireValidAt(certificate: Pick<Certificate, 'notBefore' | 'notAfter'>, now: number): void {
  const { notBefore, notAfter } = certificate;
  const wholeLastSecond = notAfter + 999;
  if (now < notBefore) throw new CertificateError(`is not valid before ${new Date(notBefore).toISOString()}`);
  if (now > wholeLastSecond) throw new CertificateError(`expired at ${new Date(notAfter).toISOString()}`);
  if (notBefore <= now && now <= wholeLastSecond) return;
  throw new CertificateError('has no period of validity that can be read');
}

/**
 * Refuses a certificate that is not meant to be shown by a client: a CA's, or one for other purposes only.
 *
 * @throws {CertificateError} naming the rule
 */
export function requireClientAuthUsage({ basicConstraints, extendedKeyUsage }: Certificate): void {
  if (basicConstraints.isCa) {
    throw new CertificateError('is a CA certificate (basicConstraints CA:TRUE); a client needs CA:FALSE');
  }
  if (extendedKeyUsage && !extendedKeyUsage.includes(CLIENT_AUTH)) {
    throw new CertificateError('is not meant for clients: its extended key usage lacks clientAuth');
  }
}
