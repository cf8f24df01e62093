import { hash } from 'node:crypto';
import { canonicalUri } from '../oauth/canonical-uri.ts';
import type { SigningAlgorithm } from '../tokens/algorithms/signing-algorithm.ts';

/**
 * A protected resource behind the edge (RFC 6749 §1.1, RFC 8707 §2): what a caller needs to reach it, and which token it
 * receives.
 */
export interface Resource {
  /** Its name in the path of a check; matches `isResourceName`. */
  readonly name: string;
  /** The `aud` of its tokens. */
  readonly audience: string;
  /** The scopes that the caller needs, all of them; at least one. */
  readonly scopes: readonly string[];
  readonly accessTokenLifetimeSeconds: number;
  readonly binding: TokenBinding;
  readonly forward: ForwardedToken;
  /** URL of its metadata (RFC 9728 §5.1), for the challenge of a rejected request. */
  readonly metadataUrl: string | undefined;
  /** The algorithm that its tokens are signed with; undefined for the server's own. */
  readonly signingAlgorithm: SigningAlgorithm | undefined;
  /** The `client_id`s of those that may introspect its tokens, besides the client of the token (RFC 7662 §2.1). */
  readonly introspectionClients: readonly string[];
}

/** Whose certificate the `cnf` of a minted token names (RFC 8705 §3.1). */
export type TokenBinding =
  /** The caller's: the upstream has to receive the caller's certificate from the proxy. */
  | { readonly kind: 'caller' }
  /** The one that the proxy presents to the upstream: its thumbprints, the current one first. */
  | { readonly kind: 'proxy'; readonly thumbprints: readonly [string, ...string[]] }
  /** No `cnf`. */
  | { readonly kind: 'none' };

/** What the upstream receives after a token was verified: that token, one minted for the resource, or only headers. */
export type ForwardedToken = 'original' | 'minted' | 'none';

/** The name of a resource is part of a path and of a Redis key. */
export function isResourceName(name: string): boolean {
  return /^[a-z0-9-]{1,63}$/.test(name);
}

/**
 * The last part of the Redis key of an audience: base64url of the SHA-256 of its canonical spelling, because it may contain
 * any character. Equivalent audiences share it.
 */
export function audienceKey(audience: string): string {
  return hash('sha256', canonicalUri(audience), 'base64url');
}
