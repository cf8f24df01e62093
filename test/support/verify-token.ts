import { verifyWithJwks } from 'hono/jwt';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { customFetch, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi';
import type { HttpsFetch } from './https-fetch.ts';

export interface VerifiedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: JWTPayload;
  readonly keys: JSONWebKeySet;
}

/**
 * Verifies an access token as a resource server does that knows nothing but the issuer: metadata and keys over HTTPS
 * from the plain host, then signature, `typ`, `iss`, `aud` and the required claims (RFC 9068 §2.2, §4). The signature is
 * verified twice: by jose, which also signed it, and by an implementation that shares nothing with it.
 */
export async function verifyToken(
  token: string,
  { issuer, audience, fetch }: { issuer: string; audience: string; fetch: HttpsFetch },
): Promise<VerifiedToken> {
  const discovered = await discoveryRequest(new URL(issuer), { [customFetch]: fetch, algorithm: 'oauth2' });
  const { jwks_uri } = await processDiscoveryResponse(new URL(issuer), discovered);
  const keys: JSONWebKeySet = JSON.parse(await (await fetch(jwks_uri ?? '')).text());
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
    ...rfc9068,
    issuer,
    audience,
  });
  await verifyWithJwks(token, {
    keys: keys.keys.map((key) => ({ ...key })),
    allowedAlgorithms: ['ES256'],
    verification: { typ: 'at+jwt', iss: issuer, aud: audience },
  });
  return { header: { ...protectedHeader }, claims: payload, keys };
}

const rfc9068: JWTVerifyOptions = {
  typ: 'at+jwt',
  requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
};
