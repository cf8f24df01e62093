import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { audience, type RotationDeployment } from './deployment.ts';
import type { ProtectedApi } from './jwt-authn.ts';
import { HOUR, type ShortenedTimes } from './shortened-times.ts';
import type { IssuedToken } from './token-load.ts';
import { configurationManagerCache, fixedIntervalCache, type JwksAccess, jwtAuthnCache } from './verifier-caches.ts';

/** A verifier has rejected a token that had not expired. */
interface UnverifiableToken {
  readonly verifier: string;
  readonly keyId: string;
  readonly reason: string;
  /** Milliseconds until its expiry. */
  readonly left: number;
}

export interface TokenChecks {
  /** Verifies a new token with every verifier. */
  readonly onToken: (token: IssuedToken) => Promise<void>;
  readonly unverifiable: readonly UnverifiableToken[];
  /** The `kid` of each key that has signed, in the order of their first token. */
  readonly keyIds: () => readonly string[];
  readonly tokens: () => number;
  readonly tokensOf: (keyId: string) => number;
  /** How often a verifier has verified a token, or has found the key of all that had not expired. */
  readonly verifications: () => number;
  /** Tokens of this key are no longer expected to be accepted. */
  readonly withdraw: (keyId: string) => void;
  readonly stop: () => Promise<void>;
}

interface Verifier {
  readonly name: string;
  /** Resolves to the reason if it rejects the token. */
  readonly rejects: (token: IssuedToken) => Promise<string | undefined>;
}

/** Every so many tokens, Envoy verifies one: each is a request of its own. */
const TOKENS_PER_REQUEST = 20;
const CHECK_INTERVAL_MILLISECONDS = 20;

/**
 * Verifies each token when it is issued, and the newest one of each key again and again until it expires: it stands for all
 * others of this key, which expire before it.
 */
export function startTokenChecks(
  deployment: RotationDeployment,
  times: ShortenedTimes,
  envoy?: ProtectedApi,
): TokenChecks {
  const verifiers = [joseVerifier(deployment, times), ...cachingVerifiers(deployment, times)];
  const realEnvoy = envoy && { name: 'Envoy', rejects: ({ token }: IssuedToken) => envoy.rejects(token) };
  const unverifiable: UnverifiableToken[] = [];
  const newest = new Map<string, IssuedToken>();
  const counts = new Map<string, number>();
  const withdrawn = new Set<string>();
  let [tokens, verifications] = [0, 0];
  let isStopped = false;

  const verify = async ({ name, rejects }: Verifier, token: IssuedToken) => {
    const reason = await rejects(token).catch((error: Error) => error.message);
    if (isStopped) return;
    verifications += 1;
    const { keyId, expiresAt } = token;
    // It may have expired meanwhile, also by the clock of a replica.
    const left = expiresAt - Date.now();
    if (reason !== undefined && left > 0 && !withdrawn.has(keyId))
      unverifiable.push({ verifier: name, keyId, reason, left });
  };
  const onToken = async (token: IssuedToken) => {
    tokens += 1;
    counts.set(token.keyId, (counts.get(token.keyId) ?? 0) + 1);
    const known = newest.get(token.keyId);
    if (!known || known.expiresAt <= token.expiresAt) newest.set(token.keyId, token);
    const isForEnvoy = realEnvoy && (!known || tokens % TOKENS_PER_REQUEST === 0);
    await Promise.all([...verifiers, ...(isForEnvoy ? [realEnvoy] : [])].map((verifier) => verify(verifier, token)));
  };
  const verifyAgain = async () => {
    const valid = [...newest.values()].filter(({ expiresAt }) => expiresAt > Date.now());
    const all = realEnvoy ? [...verifiers, realEnvoy] : verifiers;
    await Promise.all(valid.flatMap((token) => all.map((verifier) => verify(verifier, token))));
  };

  const run = async () => {
    while (!isStopped) {
      await verifyAgain();
      await delay(CHECK_INTERVAL_MILLISECONDS);
    }
  };
  const running = run();
  return {
    onToken,
    unverifiable,
    keyIds: () => [...counts.keys()],
    tokens: () => tokens,
    tokensOf: (keyId) => counts.get(keyId) ?? 0,
    verifications: () => verifications,
    withdraw: (keyId) => void withdrawn.add(keyId),
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}

/** jose with its default cache, shortened as the other times, and its signature verification. */
function joseVerifier({ issuer, fetchJwks }: RotationDeployment, { shortened, clockOffset }: ShortenedTimes): Verifier {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), {
    cacheMaxAge: shortened(HOUR / 6),
    cooldownDuration: shortened(HOUR / 120),
    timeoutDuration: 60_000,
    [customFetch]: async () => Response.json(await fetchJwks()),
  });
  // A token of a replica whose clock is fast is not valid yet by ours.
  const options = { issuer, audience, typ: 'at+jwt', clockTolerance: Math.ceil(clockOffset / 1_000) + 1 };
  return {
    name: 'jose',
    rejects: ({ token }) =>
      jwtVerify(token, keys, options).then(
        () => undefined,
        (error: Error) => error.message,
      ),
  };
}

/** They only look for the key: that the signature is good, jose has verified. */
function cachingVerifiers(
  { fetchJwks }: RotationDeployment,
  { policy, shortened }: ShortenedTimes,
): readonly Verifier[] {
  const access: JwksAccess<true> = {
    now: () => performance.now(),
    fetchKeys: async () => new Map((await fetchJwks()).keys.map(({ kid = '' }) => [kid, true])),
  };
  const { publishAhead } = policy;
  const configurationManager = {
    automaticRefreshInterval: publishAhead / 2,
    jitter: publishAhead / 24,
    refreshInterval: shortened(HOUR / 12),
  };
  const finders = {
    'jwt_authn with its default cache': jwtAuthnCache(access, { cacheDuration: shortened(HOUR / 6) }),
    Istio: fixedIntervalCache(access, { interval: shortened(HOUR / 3) }),
    // 12 hours of a day, and an hour.
    ConfigurationManager: configurationManagerCache(access, configurationManager),
    'a gateway that caches for half of that time': fixedIntervalCache(access, { interval: publishAhead / 2 }),
  };
  return Object.entries(finders).map(([name, find]) => ({
    name,
    rejects: async ({ keyId }) => ((await find(keyId)) ? undefined : 'unknown kid'),
  }));
}
