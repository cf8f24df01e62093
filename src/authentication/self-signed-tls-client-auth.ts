import type { ClientCertificate } from '../certificate/client-certificate.ts';
import type { RegisteredCertificate } from '../clients/client.ts';
import { invalidClient } from '../oauth/oauth-error.ts';
import type { AuthenticationMethod } from './authentication-method.ts';

/**
 * `self_signed_tls_client_auth` (RFC 8705 §2.2): exactly one of the registered certificates. Who issued it, and
 * whether its chain was verified, does not matter: the TLS handshake proved the key.
 */
export const selfSignedTlsClientAuth: AuthenticationMethod<'self_signed_tls_client_auth'> = (
  { certificates },
  { certificate },
  now,
) => {
  const match = certificates.find((registered) => isRegistered(certificate, registered));
  if (!match) {
    const count = `${certificates.length} certificate${certificates.length === 1 ? ' is' : 's are'} registered`;
    throw invalidClient(`the certificate ${certificate.thumbprint} is not registered for this client (${count})`);
  }
  if (match.notAfter === undefined || now <= match.notAfter) {
    return match.thumbprint.algorithm === 'sha1' ? { advice: sha1Advice(certificate) } : {};
  }
  throw invalidClient(`the registration of the certificate ${certificate.thumbprint} has ended`);
};

function isRegistered(certificate: ClientCertificate, { thumbprint }: RegisteredCertificate): boolean {
  const own = { sha256: certificate.thumbprint, sha1: certificate.sha1Thumbprint };
  return own[thumbprint.algorithm] === thumbprint.value;
}

function sha1Advice(certificate: ClientCertificate): string {
  return `the client is registered by a SHA-1 thumbprint: replace it with ${certificate.thumbprint}`;
}
