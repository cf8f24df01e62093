import type { RegisteredCertificate } from '../clients/client.ts';
import { invalidClient } from '../oauth/oauth-error.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { AuthenticationMethod } from './method.ts';

/**
 * `self_signed_tls_client_auth` (RFC 8705 §2.2): exactly one of the registered certificates, or one over a registered
 * key. Who issued it, and whether its chain was verified, does not matter: the TLS handshake proved the key.
 */
export const selfSignedTlsClientAuth: AuthenticationMethod<'self_signed_tls_client_auth'> = (
  { certificates },
  { certificate },
  now,
) => {
  const matches = certificates.filter((registered) => isRegistered(certificate, registered));
  const [match] = matches.filter(({ notBefore = now, notAfter = now }) => notBefore <= now && now <= notAfter);
  if (match) return isSha1(match) ? { advice: sha1Advice(certificate) } : {};
  if (matches.length > 0)
    throw invalidClient(`the registration of the certificate ${certificate.thumbprint} ${periodReason(matches, now)}`);
  const count = `${certificates.length} certificate${certificates.length === 1 ? ' is' : 's are'} registered`;
  throw invalidClient(`the certificate ${certificate.thumbprint} is not registered for this client (${count})`);
};

function isRegistered(certificate: ClientCertificate, registered: RegisteredCertificate): boolean {
  if (registered.by === 'public_key') return certificate.publicKeyThumbprint === registered.publicKeyThumbprint;
  const own = { sha256: certificate.thumbprint, sha1: certificate.sha1Thumbprint };
  const { algorithm, value } = registered.thumbprint;
  return own[algorithm] === value;
}

/** Why none of the registrations of this certificate counts now. */
function periodReason(matches: readonly RegisteredCertificate[], now: number): string {
  const begins = matches.flatMap(({ notBefore }) => (notBefore !== undefined && now < notBefore ? [notBefore] : []));
  if (begins.length === 0) return 'has ended';
  return `has not begun: it begins at ${new Date(Math.min(...begins)).toISOString()}`;
}

function isSha1(registered: RegisteredCertificate): boolean {
  return registered.by === 'thumbprint' && registered.thumbprint.algorithm === 'sha1';
}

function sha1Advice(certificate: ClientCertificate): string {
  return `the client is registered by a SHA-1 thumbprint: replace it with ${certificate.thumbprint}`;
}
