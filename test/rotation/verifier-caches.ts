/** What a verifier keeps of a JWKS: the keys by `kid`. */
export type PublishedKeys<Key> = ReadonlyMap<string, Key>;

/** Finds the key of a token by its `kid`. Without a key, the verifier rejects the token. */
export type KeyFinder<Key> = (keyId: string) => Promise<Key | undefined>;

/** What a verifier caches from, and its clock in milliseconds. */
export interface JwksAccess<Key> {
  readonly fetchKeys: () => Promise<PublishedKeys<Key>>;
  readonly now: () => number;
}

/**
 * Envoy's `jwt_authn` with `remote_jwks`: a token waits for the first fetch and for one when `cache_duration` is over.
 * Nothing else fetches, in particular no unknown `kid`.
 *
 * Source: `startVerify` in source/extensions/filters/http/jwt_authn/authenticator.cc verifies with the cached JWKS unless
 * `isExpired`, and a TODO states that a new key fails until then; `setRemoteJwks` in jwks_cache.cc counts the duration from
 * the response; jwks_async_fetcher.cc has its default of 600 s and rounds it down to seconds. A refetch for unknown keys
 * (envoy#36458) was reverted (envoy#37763).
 */
export function jwtAuthnCache<Key>(
  { fetchKeys, now }: JwksAccess<Key>,
  { cacheDuration }: { readonly cacheDuration: number },
): KeyFinder<Key> {
  let cached: { readonly keys: PublishedKeys<Key>; readonly expiresAt: number } | undefined;
  return async (keyId) => {
    if (!cached || now() >= cached.expiresAt) {
      const keys = await fetchKeys();
      cached = { keys, expiresAt: now() + cacheDuration };
    }
    return cached.keys.get(keyId);
  };
}

export interface ConfigurationManagerOptions {
  /** `AutomaticRefreshInterval`: 12 hours by default. */
  readonly automaticRefreshInterval: number;
  /** A random part of this is added to it: an hour in versions 6 and 7, 5 % of the interval since. */
  readonly jitter: number;
  /** `RefreshInterval`: 5 minutes by default. */
  readonly refreshInterval: number;
}

/**
 * The `ConfigurationManager` of .NET below `JwtBearerHandler` of ASP.NET Core: a token waits for a fetch when the automatic
 * interval is over. An unknown `kid` makes the next token fetch, unless the last fetch is more recent than
 * `RefreshInterval`; the token that has it is rejected. Since IdentityModel 8.3.1 that token waits for the fetch, too; this
 * is the stricter version.
 *
 * Source: `GetConfigurationAsync` and `RequestRefresh` in
 * src/Microsoft.IdentityModel.Protocols/Configuration/ConfigurationManager.cs of identitymodel-extensions-for-dotnet, its
 * issue 3082, and `RefreshOnIssuerKeyNotFound` in JwtBearerHandler.cs of ASP.NET Core (aspnetcore#28948).
 *
 * @param random from 0 to 1
 */
export function configurationManagerCache<Key>(
  { fetchKeys, now }: JwksAccess<Key>,
  { automaticRefreshInterval, jitter, refreshInterval }: ConfigurationManagerOptions,
  random: () => number = Math.random,
): KeyFinder<Key> {
  let keys: PublishedKeys<Key> | undefined;
  let syncAfter = Number.NEGATIVE_INFINITY;
  let lastRefresh = Number.NEGATIVE_INFINITY;
  let isFirstRequest = true;
  const requestRefresh = () => {
    if (isFirstRequest || now() >= lastRefresh + refreshInterval) syncAfter = now();
    isFirstRequest = false;
  };
  return async (keyId) => {
    if (!keys || now() >= syncAfter) {
      keys = await fetchKeys();
      lastRefresh = now();
      syncAfter = lastRefresh + automaticRefreshInterval + random() * jitter;
    }
    const key = keys.get(keyId);
    if (!key) requestRefresh();
    return key;
  };
}

export interface RemoteJwkSetOptions {
  /** Milliseconds: 600,000 by default. */
  readonly cacheMaxAge: number;
  /** Milliseconds: 30,000 by default. */
  readonly cooldownDuration: number;
}

/**
 * `createRemoteJWKSet` of jose: a token waits for a fetch when the JWKS is older than `cacheMaxAge`, and for one when its
 * `kid` is unknown and the last fetch is longer ago than `cooldownDuration`. Spring's and Nimbus' sources do the same.
 *
 * Source: jose's src/jwks/remote.ts; a test compares this with the original.
 */
export function remoteJwkSetCache<Key>(
  { fetchKeys, now }: JwksAccess<Key>,
  { cacheMaxAge, cooldownDuration }: RemoteJwkSetOptions,
): KeyFinder<Key> {
  let cached: { readonly keys: PublishedKeys<Key>; readonly at: number } | undefined;
  const reload = async () => {
    const keys = await fetchKeys();
    cached = { keys, at: now() };
    return cached;
  };
  return async (keyId) => {
    const isFresh = cached !== undefined && now() < cached.at + cacheMaxAge;
    const current = cached && isFresh ? cached : await reload();
    const key = current.keys.get(keyId);
    if (key || now() < current.at + cooldownDuration) return key;
    return (await reload()).keys.get(keyId);
  };
}

/**
 * A gateway that fetches at fixed times and never because of a token, such as Istio, which pushes the JWKS to its proxies
 * every 20 minutes (`PILOT_JWT_PUB_KEY_REFRESH_INTERVAL`, istio#41588), or gateways that cache it for hours.
 */
export function fixedIntervalCache<Key>(
  { fetchKeys, now }: JwksAccess<Key>,
  { interval }: { readonly interval: number },
): KeyFinder<Key> {
  return jwtAuthnCache({ fetchKeys, now }, { cacheDuration: interval });
}
