import { type Context, Hono } from 'hono';
import type { EffectiveConfig } from './doctor/observer/effective-config.ts';
import { observationsEndpoint, watchEndpoint } from './doctor/observer/endpoint.ts';
import type { ObservationStore } from './doctor/observer/observation-store.ts';
import type { Observation } from './doctor/observer/observe.ts';
import { type UpstreamDependencies, upstreamEndpoint } from './doctor/observer/upstream.ts';
import { authorizeEndpoint } from './endpoints/authorize.ts';
import { introspectionEndpoint } from './endpoints/introspect.ts';
import {
  authorizationServerMetadata,
  jwkSet,
  openidProviderMetadata,
  type PublishedKeys,
  publishedDocument,
} from './endpoints/metadata.ts';
import { readiness } from './endpoints/readiness.ts';
import { requestPath } from './endpoints/request.ts';
import { type Endpoint, respondWithError } from './endpoints/respond.ts';
import { revocationEndpoint } from './endpoints/revoke.ts';
import { type TokenEndpointDependencies, tokenEndpoint } from './endpoints/token.ts';
import type { HttpRequest } from './http/received-request.ts';
import { withoutTrailingSlash } from './oauth/issuer.ts';
import { invalidRequest } from './oauth/oauth-error.ts';
import type { Metrics } from './observability/metrics.ts';
import type { RecentDecisions } from './observability/recent-decisions.ts';
import { remoteAccess } from './pages/local-access.ts';
import { operatorPage } from './pages/operator-page.ts';
import { respondWithLivePart, respondWithPage } from './pages/page.ts';
import type { AccessTokenVerifier } from './tokens/access-token-verifier.ts';
import type { TokenRevocations } from './tokens/revocation/token-revocations.ts';

export interface AppDependencies extends TokenEndpointDependencies {
  readonly mtlsUrl: string;
  readonly accessTokens: AccessTokenVerifier;
  /** Undefined if tokens cannot be revoked: that requires Redis. */
  readonly revocations: TokenRevocations | undefined;
}

export type App = Hono<Env>;

/** What the listener passes on: the request as received, and not Hono's copy of it. */
interface Env {
  readonly Bindings: { readonly incoming: HttpRequest };
}

/**
 * Every route of the public listener. The endpoints are served at the root, for a proxy that strips the issuer's path,
 * and below the paths of the issuer and of the mutual TLS base URL, for one that forwards them.
 */
export function createApp(dependencies: AppDependencies): App {
  const { issuer, mtlsUrl, keyring, revocations } = dependencies;
  const factsWith = (keys: PublishedKeys) => ({ issuer, mtlsUrl, keys, canRevoke: revocations !== undefined });
  const publish = (render: (keys: PublishedKeys) => object, contentType: string) =>
    publishedDocument(keyring, render, contentType);
  const serveMetadata = publish((keys) => authorizationServerMetadata(factsWith(keys)), 'application/json');
  const serveOpenidMetadata = publish((keys) => openidProviderMetadata(factsWith(keys)), 'application/json');
  const serveKeys = publish(jwkSet, 'application/jwk-set+json');
  const serveTokens = tokenEndpoint(dependencies);
  const serveIntrospection = introspectionEndpoint(dependencies);
  const serveRevocation = revocations && revocationEndpoint({ ...dependencies, revocations });

  const app = newApp();
  const serve = (path: string, endpoint: Endpoint) => app.all(path, ({ env }) => endpoint(env.incoming));
  const bases = new Set(['', pathOf(issuer), pathOf(mtlsUrl)]);
  for (const base of bases) {
    serve(`${base}/token`, serveTokens);
    serve(`${base}/introspect`, serveIntrospection);
    if (serveRevocation) serve(`${base}/revoke`, serveRevocation);
    serve(`${base}/jwks`, serveKeys);
    serve(`${base}/authorize`, authorizeEndpoint);
  }
  // RFC 8414 §3.1 and OpenID Connect Discovery §4.1 remove the trailing slash of an issuer; some clients keep it.
  for (const path of new Set([...bases, issuer.endsWith('/') ? `${pathOf(issuer)}/` : ''])) {
    for (const url of wellKnownPaths('oauth-authorization-server', path)) serve(url, serveMetadata);
    for (const url of wellKnownPaths('openid-configuration', path)) serve(url, serveOpenidMetadata);
  }
  app.notFound(({ env }) => respondWithError(env.incoming, invalidRequest('endpoint_unknown', 'No such endpoint.')));
  return app;
}

export interface OperationsDependencies extends UpstreamDependencies {
  /** Of requests to the public listener. */
  readonly observations: ObservationStore<Observation>;
  /** Of checks. */
  readonly checks: ObservationStore<Observation>;
  readonly effectiveConfig: EffectiveConfig;
  readonly metrics: Metrics;
  readonly decisions: RecentDecisions;
  /** Why no client can be served at the moment; undefined if some can. */
  readonly notReadyReason: () => string | undefined;
}

/** Every route of the operations listener, which is not for clients. */
export function createOperationsApp(dependencies: OperationsDependencies): App {
  const { observations, checks, arrivals, effectiveConfig, metrics, decisions, notReadyReason } = dependencies;
  const receive = upstreamEndpoint(dependencies);
  const app = newApp();
  app.get('/livez', (c) => c.text('ok\n'));
  app.get('/readyz', readiness(notReadyReason));
  app.get('/metrics', async (c) => c.body(await metrics.render(), 200, { 'content-type': metrics.contentType }));
  const page = operatorPage({ issuer: effectiveConfig.issuer, decisions, notReadyReason });
  app.get(
    '/decisions',
    localOnly(() => respondWithPage(page, '/decisions/live')),
  );
  app.get(
    '/decisions/live',
    localOnly(({ env }) => respondWithLivePart(page, env.incoming.fields.combined('if-none-match'))),
  );
  const watched = { '/doctor/:id': observations, '/doctor/checks/:id': checks, '/doctor/upstream/:id': arrivals };
  for (const [path, store] of Object.entries(watched)) {
    app.put(path, localOnly(watchEndpoint(store, effectiveConfig)));
    app.get(path, localOnly(observationsEndpoint(store)));
  }
  app.notFound(({ env }) => receive(env.incoming));
  return app;
}

/** Serves only this machine; anyone else learns why in one line. */
function localOnly(serve: (c: Context<Env>) => Response | Promise<Response>) {
  return (c: Context<Env>): Response | Promise<Response> => {
    const reason = remoteAccess(c.env.incoming);
    return reason === undefined ? serve(c) : c.text(`forbidden: ${reason}\n`, 403);
  };
}

/** An app that routes by the raw path: Hono would decode it first. */
function newApp(): App {
  return new Hono({ getPath: (_, options) => requestPath(options?.env?.incoming.url) });
}

/** RFC 8414 §3.1 appends the issuer's path to the well-known one, OpenID Connect Discovery §4 prepends it. */
function wellKnownPaths(name: string, issuerPath: string): readonly string[] {
  return [`/.well-known/${name}${issuerPath}`, `${issuerPath}/.well-known/${name}`];
}

function pathOf(url: string): string {
  return withoutTrailingSlash(new URL(url).pathname);
}
