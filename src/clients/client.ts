import type { GrantType } from '../oauth/grammar.ts';
import type { Json } from './json-value.ts';
import type { ClientAuthentication } from './methods/methods.ts';
import type { TokenRate } from './token-rate.ts';

/** A validated client of the registry. */
export interface Client {
  readonly clientId: string;
  readonly enabled: boolean;
  readonly authentication: ClientAuthentication;
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
  /** Those of every token. */
  readonly always: readonly string[];
  /** The additional audiences of each scope. */
  readonly byScope: ReadonlyMap<string, readonly string[]>;
  /** All of them: the audience of a token with all scopes. */
  readonly all: readonly string[];
}
