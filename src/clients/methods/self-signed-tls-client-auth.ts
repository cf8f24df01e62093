import { invalidClient } from '../../oauth/oauth-error.ts';
import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import { counted } from '../../text.ts';
import { publicKeyIdentity, thumbprintIdentity } from '../identities.ts';
import { certificateFields } from './certificate-fields.ts';
import type { AuthenticationMethod, PresentedCertificateOfClient } from './method.ts';
import { parseRegisteredCertificates, type RegisteredCertificate } from './registered-certificates.ts';

/**
 * `self_signed_tls_client_auth` (RFC 8705 §2.2): exactly one of the registered certificates, or one with a registered
 * key. The issuer and the chain do not matter: the TLS handshake proved possession of the key. But a certificate that the
 * terminator rejects does not count, for example because it is revoked.
 */
export const selfSignedTlsClientAuth: AuthenticationMethod<RegisteredCertificate, typeof certificateFields> = {
  fields: certificateFields,
  secretTypes: ['X509Thumbprint', 'X509CertificateThumbprint'],
  identifiedBy: { quantity: 'any', fields: ['certificates', 'jwks'] },
  dependentRequired: {},
  credential: 'certificate',
  requiresChain: false,
  parse: parseRegisteredCertificates,
  identity: (registered) =>
    registered.by === 'thumbprint'
      ? thumbprintIdentity(registered.thumbprint)
      : publicKeyIdentity(registered.publicKeyThumbprint),
  containedCertificate: (registered) => (registered.by === 'thumbprint' ? registered.contained : undefined),
  spiffePattern: () => undefined,
  specificity: () => undefined,
  caPins: () => [],
  recognizes: (registered, certificate) => {
    const { thumbprint, otherThumbprints } = certificate;
    if (registered.by === 'public_key') return otherThumbprints.publicKey === registered.publicKeyThumbprint;
    const { algorithm, value } = registered.thumbprint;
    return value === (algorithm === 'sha256' ? thumbprint : otherThumbprints.sha1);
  },
  authenticate: (registered, presented) => {
    const rejection = rejectionByTerminator(presented);
    if (rejection) throw rejection;
    const { certificate } = presented;
    return { certificate, ...(isSha1(registered) && { advice: sha1Advice(certificate) }) };
  },
  mismatch: (registered, presented) => {
    const count = `${counted(registered.length, 'certificate')} ${registered.length === 1 ? 'is' : 'are'} registered`;
    return (
      rejectionByTerminator(presented) ??
      invalidClient(
        'certificate_unregistered',
        `the certificate ${presented.certificate.thumbprint} is not registered for this client (${count})`,
      )
    );
  },
};

function rejectionByTerminator({ chain }: PresentedCertificateOfClient) {
  if (chain.verified || !chain.isFinal) return undefined;
  return invalidClient(chain.code, `the terminator rejected the certificate: ${chain.reason}`);
}

function isSha1(registered: RegisteredCertificate): boolean {
  return registered.by === 'thumbprint' && registered.thumbprint.algorithm === 'sha1';
}

function sha1Advice(certificate: ClientCertificate): string {
  return `the client is registered by a SHA-1 thumbprint: replace it with ${certificate.thumbprint}`;
}
