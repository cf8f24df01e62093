import { OperatorError } from '../../errors/operator-error.ts';
import { withoutTrailingSlash } from '../../oauth/issuer.ts';
import { printable } from '../../text.ts';
import { type ConnectionContext, exchange } from './exchange.ts';
import { describeForeignResponse, jsonObjectIn } from './explain-response.ts';

/** What the metadata of an authorization server states about its token endpoint. */
export interface DiscoveredServer {
  readonly issuer: string;
  readonly tokenEndpoint: URL;
  /** What clients with this URL would stumble over. */
  readonly notes: readonly string[];
}

/**
 * Reads the authorization server metadata (RFC 8414 §3), and where it is missing that of an OpenID Provider. The token
 * endpoint is the alias for mutual TLS if there is one (RFC 8705 §5).
 *
 * @param base the issuer, or the base URL for mutual TLS
 * @throws {OperatorError} with what is wrong, and the fix
 */
export async function discover(base: string, context: ConnectionContext): Promise<DiscoveredServer> {
  const { origin, pathname } = new URL(base);
  const path = withoutTrailingSlash(pathname);
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ].map((url) => new URL(url));
  const problems: string[] = [];
  for (const url of urls) {
    const response = await exchange(url, undefined, context);
    const metadata = response.status === 200 ? jsonObjectIn(response.body) : undefined;
    if (metadata) return serverOf(metadata, base, url);
    problems.push(`${url.href}: ${describeForeignResponse(response)}`);
  }
  throw new OperatorError([`there is no metadata at ${base}: check that --url is the issuer`, ...problems]);
}

function serverOf(metadata: Readonly<Record<string, unknown>>, base: string, url: URL): DiscoveredServer {
  const { issuer, token_endpoint, mtls_endpoint_aliases: aliases } = metadata;
  const alias =
    typeof aliases === 'object' && aliases !== null && 'token_endpoint' in aliases && aliases.token_endpoint;
  const endpoint = typeof alias === 'string' ? alias : token_endpoint;
  if (typeof issuer !== 'string' || typeof endpoint !== 'string')
    throw new OperatorError([`${url.href}: the metadata has no issuer or no token_endpoint (RFC 8414 §2)`]);
  const isSecure = URL.canParse(endpoint) && new URL(endpoint).protocol === 'https:';
  if (!isSecure)
    throw new OperatorError([`${url.href}: the token endpoint "${printable(endpoint)}" is not an https URL`]);
  const isIssuer = withoutTrailingSlash(issuer) === withoutTrailingSlash(base);
  const note = `the issuer is ${printable(issuer)}, not ${base}: clients and APIs have to be configured with the issuer`;
  return { issuer, tokenEndpoint: new URL(endpoint), notes: isIssuer ? [] : [note] };
}
