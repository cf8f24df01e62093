import type { GrantType } from '../oauth/grammar.ts';
import type { Json } from './json-value.ts';
import type { ClientAuthentication } from './methods/methods.ts';

/** A validated client of the registry. */
export interface Client {
  readonly clientId: string;
  readonly enabled: boolean;
  readonly authentication: ClientAuthentication;
  readonly grantTypes: readonly GrantType[];
  readonly scopes: readonly string[];
  /** The audiences of every token, and the additional audiences of each scope (RFC 9068 §3). */
  readonly audience: { readonly always: readonly string[]; readonly byScope: ReadonlyMap<string, readonly string[]> };
  readonly accessTokenLifetimeSeconds: number;
  readonly scopeClaim: 'string' | 'array';
  /** Additional claims of its tokens; never one that the server sets. */
  readonly claims: Readonly<Record<string, Json>>;
}
