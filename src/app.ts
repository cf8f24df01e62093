import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { EffectiveConfig } from './doctor/observer/effective-config.ts';
import { observationsEndpoint, watchEndpoint } from './doctor/observer/endpoint.ts';
import type { ObservationStore } from './doctor/observer/observation-store.ts';
import type { Observation } from './doctor/observer/observe.ts';
import { metadataDocument, publishedDocument } from './endpoints/metadata.ts';
import { readiness } from './endpoints/readiness.ts';
import { requestPath } from './endpoints/request.ts';
import { respondWithError } from './endpoints/respond.ts';
import { type TokenEndpointDependencies, tokenEndpoint } from './endpoints/token.ts';
import { withoutTrailingSlash } from './oauth/issuer.ts';
import { invalidRequest } from './oauth/oauth-error.ts';
import type { Metrics } from './observability/metrics.ts';

export interface AppDependencies extends TokenEndpointDependencies {
  readonly mtlsUrl: string;
}

export type App = Hono<{ Bindings: HttpBindings }>;

/**
 * Every route of the public listener. The endpoints are served at the root, for a proxy that strips the issuer's path,
 * and below the paths of the issuer and of the mutual TLS base URL, for one that forwards them.
 */
export function createApp(dependencies: AppDependencies): App {
  const { issuer, mtlsUrl, signingKey } = dependencies;
  const metadata = metadataDocument({ issuer, mtlsUrl, signingAlgorithm: signingKey.algorithm });
  const serveMetadata = publishedDocument(metadata, 'application/json');
  const serveKeys = publishedDocument({ keys: [signingKey.publicJwk] }, 'application/jwk-set+json');
  const serveTokens = tokenEndpoint(dependencies);

  const app = newApp();
  for (const base of new Set(['', pathOf(issuer), pathOf(mtlsUrl)])) {
    app.all(`${base}/token`, serveTokens);
    app.all(`${base}/jwks`, serveKeys);
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      // RFC 8414 §3.1 appends the issuer's path to the well-known one, OpenID Connect Discovery §4 prepends it.
      app.all(`/.well-known/${name}${base}`, serveMetadata);
      app.all(`${base}/.well-known/${name}`, serveMetadata);
    }
  }
  app.notFound((c) => respondWithError(c, invalidRequest('No such endpoint.', { status: 404 })));
  return app;
}

export interface OperationsDependencies {
  readonly observations: ObservationStore<Observation>;
  readonly effectiveConfig: EffectiveConfig;
  readonly metrics: Metrics;
  /** Why no client can be served at the moment; undefined if some can. */
  readonly notReadyReason: () => string | undefined;
}

/** Every route of the operations listener, which is not for clients. */
export function createOperationsApp({
  observations,
  effectiveConfig,
  metrics,
  notReadyReason,
}: OperationsDependencies): App {
  const app = newApp();
  app.get('/livez', (c) => c.text('ok\n'));
  app.get('/readyz', readiness(notReadyReason));
  app.get('/metrics', async (c) => c.body(await metrics.render(), 200, { 'content-type': metrics.contentType }));
  app.put('/doctor/:id', watchEndpoint(observations, effectiveConfig));
  app.get('/doctor/:id', observationsEndpoint(observations));
  return app;
}

/** An app that routes by the raw path: Hono would decode it first. */
function newApp(): App {
  return new Hono({ getPath: (_, options) => requestPath(options?.env?.incoming.url) });
}

function pathOf(url: string): string {
  return withoutTrailingSlash(new URL(url).pathname);
}
