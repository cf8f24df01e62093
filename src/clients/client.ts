import type { GrantType } from '../oauth/grammar.ts';
import type { Json } from './json-value.ts';
import type { Registrations } from './methods/methods.ts';
import type { TokenRate } from './token-rate.ts';

/** A validated client of the registry. */
export interface Client {
  readonly clientId: string;
  readonly enabled: boolean;
  /** What it is recognized by; any of them authenticates it. */
  readonly registrations: Registrations;
  readonly grantTypes: readonly GrantType[];
  readonly scopes: readonly string[];
  readonly audience: RegisteredAudience;
  readonly accessTokenLifetimeSeconds: number;
  /** Of each replica. Undefined if it may obtain any number of tokens. */
  readonly tokenRate: TokenRate | undefined;
  readonly scopeClaim: 'string' | 'array';
  /** Additional claims of its tokens; never one that the server sets. */
  readonly claims: Readonly<Record<string, Json>>;
}

/** The audiences of a client's tokens (RFC 9068 §3). */
export interface RegisteredAudience {
  /** Those of every token whose request names no `resource`. */
  readonly always: readonly string[];
  /** The additional ones of each scope. */
  readonly byScope: ReadonlyMap<string, readonly string[]>;
  /** All of them: the audience of a token with all scopes. */
  readonly all: readonly string[];
  /** What the `resource` of a request can mean, by its registered and its canonical spelling. */
  readonly resources: ReadonlyMap<string, RegisteredResource>;
}

/** An audience that a request can name with `resource` (RFC 8707 §2). */
export interface RegisteredResource {
  /** The `aud` of its tokens, as registered. */
  readonly audience: string;
  /** Only a token whose request names this resource, and no other, has the audience. */
  readonly isIsolated: boolean;
  /** The scopes of the client that belong to it. */
  readonly scopes: ReadonlySet<string> | 'all';
}
