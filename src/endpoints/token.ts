import { authenticate } from '../authentication/authenticate.ts';
import type { ClientCertificateReader, PresentedCertificate } from '../authentication/client-certificate.ts';
import { readPresentedCredentials } from '../authentication/presented-credentials.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { authorize } from '../grants/grants.ts';
import type { Audit, AuditEntry } from '../observability/audit.ts';
import { type AccessTokenClaims, accessTokenClaims } from '../tokens/access-token-claims.ts';
import type { SigningKey } from '../tokens/signing-key.ts';
import { type EndpointContext, type ListenerKind, peerOf, readForm } from './request.ts';
import { audited, respond } from './respond.ts';

export interface TokenEndpointDependencies {
  readonly issuer: string;
  readonly listensOn: ListenerKind;
  readonly readCertificate: ClientCertificateReader;
  readonly registry: Registry;
  readonly signingKey: SigningKey;
  readonly audit: Audit;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The token endpoint (RFC 6749 §3.2), from the request to a certificate-bound access token (RFC 8705 §3). */
export function tokenEndpoint(dependencies: TokenEndpointDependencies): (c: EndpointContext) => Promise<Response> {
  const { issuer, listensOn, readCertificate, registry, signingKey, audit, now } = dependencies;
  return audited(audit, async (c, trail) => {
    const peer = peerOf(c, listensOn, now());
    trail.peer = peer.kind === 'unix' ? 'unix' : peer.address;

    // 1. read the form, and who it says it is from
    const form = await readForm(c);
    const credentials = readPresentedCredentials(c.req.header('authorization'), form);
    trail.client_id = credentials.clientId;
    // 2. and 3. read what the terminator forwarded, and parse it
    const presented = readCertificate({ headers: c.env.incoming.rawHeaders, peer });
    noteCertificate(trail, presented);
    // 4. find the client
    const found = await registry.find(credentials.clientId);
    // 5. authenticate it
    const { client, certificate, ...authenticated } = authenticate(found, credentials, presented, now());
    Object.assign(trail, authenticated);
    // 6. authorize
    const authorization = authorize(client, form);
    // 7. issue
    const claims = accessTokenClaims(issuer, client, authorization, certificate, now());
    noteClaims(trail, claims, signingKey.keyId);
    const accessToken = await signingKey.sign(claims);
    // 8. answer
    return respond(c, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: authorization.lifetimeSeconds,
      ...(authorization.scope.length > 0 && { scope: authorization.scope.join(' ') }),
    });
  });
}

function noteCertificate(trail: AuditEntry, presented: PresentedCertificate): void {
  if (presented.kind === 'none') return;
  trail.subject = presented.certificate.subjectText;
  trail.thumbprint = presented.certificate.thumbprint;
  if (presented.chain.verified) trail.chain = presented.chain.reason;
}

function noteClaims(trail: AuditEntry, { scope, aud, jti, exp }: AccessTokenClaims, keyId: string): void {
  if (scope !== undefined) trail.scope = typeof scope === 'string' ? scope : scope.join(' ');
  trail.audience = typeof aud === 'string' ? [aud] : aud;
  trail.jti = jti;
  trail.kid = keyId;
  trail.expires_at = new Date(exp * 1000).toISOString();
}
