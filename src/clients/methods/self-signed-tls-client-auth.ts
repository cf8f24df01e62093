import { invalidClient } from '../../oauth/oauth-error.ts';
import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import { identityKey, isEffective, publicKeyIdentity, thumbprintIdentity } from '../identities.ts';
import { certificateFields } from './certificate-fields.ts';
import { type AuthenticationMethod, requireCertificate } from './method.ts';
import { parseRegisteredCertificates, type RegisteredCertificate } from './registered-certificates.ts';

/** What a client of `self_signed_tls_client_auth` registers. */
export interface SelfSignedTlsClientAuth {
  readonly certificates: readonly RegisteredCertificate[];
}

/**
 * `self_signed_tls_client_auth` (RFC 8705 §2.2): exactly one of the registered certificates, or one with a registered
 * key. The issuer and the chain do not matter: the TLS handshake proved possession of the key. But a certificate that the
 * terminator rejects does not count, for example because it is revoked.
 */
export const selfSignedTlsClientAuth: AuthenticationMethod<SelfSignedTlsClientAuth, typeof certificateFields> = {
  fields: certificateFields,
  secretTypes: ['X509Thumbprint', 'X509CertificateThumbprint'],
  identifiedBy: { quantity: 'any', fields: ['certificates', 'jwks'] },
  dependentRequired: {},
  credential: 'certificate',
  requiresChain: false,
  parse: (record, policy, diagnostics, now) => ({
    certificates: parseRegisteredCertificates(record, policy, diagnostics, now),
  }),
  identities: ({ certificates }) =>
    certificates.map((registered) => {
      const { notBefore, notAfter } = registered;
      const [identity, certificateKeys] =
        registered.by === 'thumbprint'
          ? [thumbprintIdentity(registered.thumbprint), registered.certificateKeys]
          : [publicKeyIdentity(registered.publicKeyThumbprint), []];
      return { key: identityKey(identity), identity, certificateKeys, notBefore, notAfter };
    }),
  spiffePattern: () => undefined,
  specificity: () => undefined,
  caPins: () => [],
  recognizes: ({ certificates }, certificate) =>
    certificates.some((registered) => isRegistered(certificate, registered)),
  authenticate: ({ certificates }, request) => {
    const { certificate, chain } = requireCertificate(request);
    const { now } = request;
    if (!chain.verified && chain.isFinal)
      throw invalidClient(chain.code, `the terminator rejected the certificate: ${chain.reason}`);
    const matches = certificates.filter((registered) => isRegistered(certificate, registered));
    const match = matches.find((registered) => isEffective(registered, now));
    if (match) return { certificate, ...(isSha1(match) && { advice: sha1Advice(certificate) }) };
    if (matches.length > 0) {
      const { code, reason } = periodViolation(matches, now);
      throw invalidClient(code, `the registration of the certificate ${certificate.thumbprint} ${reason}`);
    }
    const count = `${certificates.length} certificate${certificates.length === 1 ? ' is' : 's are'} registered`;
    throw invalidClient(
      'certificate_unregistered',
      `the certificate ${certificate.thumbprint} is not registered for this client (${count})`,
    );
  },
};

function isRegistered(certificate: ClientCertificate, registered: RegisteredCertificate): boolean {
  if (registered.by === 'public_key') return certificate.publicKeyThumbprint === registered.publicKeyThumbprint;
  const own = { sha256: certificate.thumbprint, sha1: certificate.sha1Thumbprint };
  const { algorithm, value } = registered.thumbprint;
  return own[algorithm] === value;
}

/** Why none of the registrations of this certificate is effective now. */
function periodViolation(matches: readonly RegisteredCertificate[], now: number) {
  const starts = matches.flatMap(({ notBefore }) => (notBefore !== undefined && now < notBefore ? [notBefore] : []));
  if (starts.length === 0) return { code: 'registration_ended', reason: 'has ended' } as const;
  const reason = `has not started: it starts at ${new Date(Math.min(...starts)).toISOString()}`;
  return { code: 'registration_not_started', reason } as const;
}

function isSha1(registered: RegisteredCertificate): boolean {
  return registered.by === 'thumbprint' && registered.thumbprint.algorithm === 'sha1';
}

function sha1Advice(certificate: ClientCertificate): string {
  return `the client is registered by a SHA-1 thumbprint: replace it with ${certificate.thumbprint}`;
}
