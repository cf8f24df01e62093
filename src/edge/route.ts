/** What a check asks for: a token about the caller, whether its token is valid, or whichever the request calls for. */
export const routeKinds = ['mint', 'verify', 'either'] as const;

export type RouteKind = (typeof routeKinds)[number];

/** The route of a check, from its request target. */
export type Route =
  /** `name` matches `isResourceName`. */
  | { readonly kind: RouteKind; readonly name: string }
  /** The proxy rejects the certificate of the request, and asks so that the audit log has the reason. Always denied. */
  | { readonly kind: 'rejected' };

/** The end is looked for in the first bytes only: some proxies append the client's own path, of any length. */
const ROUTE = /^\/edge\/(mint|verify|either)\/([a-z0-9-]{1,63})(?:[/?]|$)/;
const REJECTED = /^\/edge\/rejected(?:[/?]|$)/;

/**
 * Reads the route of a request target: `/edge/{kind}/{name}` or `/edge/rejected`, up to the next `/`, `?` or the end.
 * Everything behind it is the client's, and ignored: nothing is decoded and no dot segment resolved.
 *
 * @returns undefined for any other target
 */
export function parseRoute(target: string): Route | undefined {
  const [, prefix, name] = ROUTE.exec(target) ?? [];
  const kind = routeKinds.find((known) => known === prefix);
  if (kind !== undefined && name !== undefined) return { kind, name };
  return REJECTED.test(target) ? { kind: 'rejected' } : undefined;
}
