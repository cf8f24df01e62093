import { invalidClient } from '../../oauth/oauth-error.ts';
import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { requireValidAt } from '../../pki/certificate/client-certificate.ts';
import type { AuthenticationRequest, PresentedCertificate } from './method.ts';

/**
 * The certificate of a request, valid now. The methods of RFC 8705 begin with it.
 *
 * @throws {OAuthError} invalid_client
 */
export function requireCertificate({
  presented,
  now,
}: AuthenticationRequest): Extract<PresentedCertificate, { kind: 'certificate' }> {
  if (presented.kind === 'none') throw invalidClient(`no certificate: ${presented.reason}`);
  try {
    requireValidAt(presented.certificate, now);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw invalidClient(`the certificate ${error.message}`);
  }
  return presented;
}
