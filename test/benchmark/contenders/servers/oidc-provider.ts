import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { loadLibrary } from '../../libraries/load-library.ts';

/**
 * `node oidc-provider.ts PORT KEY_FILE ALGORITHM CLIENTS_FILE`: oidc-provider, configured for as little work as possible.
 * Clients are static and in memory; a certificate is parsed once; the proxy verifies the chain. Nothing is audited.
 */
const [, , port = '', keyFile = '', algorithm = '', clientsFile = ''] = process.argv;

/** The part of oidc-provider that is used here. */
interface OidcProviderModule {
  readonly Provider: new (issuer: string, configuration: object) => { readonly callback: () => RequestListener };
}
interface ProviderContext {
  readonly req: IncomingMessage;
}
interface ClientRecord {
  readonly client_id: string;
  readonly scope: string;
}

const AUDIENCE = 'https://auth.example';
const LIFETIME_SECONDS = 3600;

// Safe: libraries/package.json pins the version that has these.
const { Provider } = (await loadLibrary('oidc-provider')) as OidcProviderModule;
const jwk = { ...createPrivateKey(readFileSync(keyFile)).export({ format: 'jwk' }), use: 'sig', alg: algorithm };
// Safe: `prepare` has written the file.
const records = JSON.parse(readFileSync(clientsFile, 'utf8')) as readonly ClientRecord[];
const parsed = new Map<string, { readonly certificate: X509Certificate; readonly sans: ReadonlySet<string> }>();

const provider = new Provider('https://auth.example', {
  jwks: { keys: [jwk] },
  clients: records.map((record) => ({
    ...record,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    tls_client_certificate_bound_access_tokens: true,
    // Required to be one of the algorithms of the key set.
    id_token_signed_response_alg: algorithm,
  })),
  clientAuthMethods: ['tls_client_auth'],
  enabledJWA: { idTokenSigningAlgValues: [algorithm] },
  scopes: ['read', 'write'],
  ttl: { ClientCredentials: LIFETIME_SECONDS },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      tlsClientAuth: true,
      getCertificate: ({ req }: ProviderContext) => parse(req)?.certificate,
      certificateAuthorized: ({ req }: ProviderContext) => req.headers['x-ssl-client-verify'] === 'SUCCESS',
      certificateSubjectMatches: ({ req }: ProviderContext, property: string, expected: string) =>
        property === 'tls_client_auth_san_dns' && parse(req)?.sans.has(`DNS:${expected}`) === true,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => AUDIENCE,
      getResourceServerInfo: () => ({
        scope: 'read write',
        audience: AUDIENCE,
        accessTokenTTL: LIFETIME_SECONDS,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: algorithm } },
      }),
    },
  },
});
createServer(provider.callback()).listen(Number(port), '127.0.0.1');

function parse({ headers }: IncomingMessage) {
  const escaped = String(headers['x-ssl-client-cert']);
  const known = parsed.get(escaped);
  if (known) return known;
  const certificate = new X509Certificate(decodeURIComponent(escaped));
  const entry = { certificate, sans: new Set(certificate.subjectAltName?.split(', ')) };
  parsed.set(escaped, entry);
  return entry;
}
