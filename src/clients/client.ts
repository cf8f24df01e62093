import type { GrantType } from '../oauth/grammar.ts';
import type { Json } from './json-value.ts';
import type { ClientAuthentication } from './methods/methods.ts';

/** A client as the registry gives it: validated, parsed, ready to be compared with a request. */
export interface Client {
  readonly clientId: string;
  readonly enabled: boolean;
  readonly authentication: ClientAuthentication;
  readonly grantTypes: readonly GrantType[];
  readonly scopes: readonly string[];
  /** The audiences of every token, and those that single scopes add (RFC 9068 §3). */
  readonly audience: { readonly always: readonly string[]; readonly byScope: ReadonlyMap<string, readonly string[]> };
  readonly accessTokenLifetimeSeconds: number;
  readonly scopeClaim: 'string' | 'array';
  /** Claims to add to its tokens; none of them is one that we set. */
  readonly claims: Readonly<Record<string, Json>>;
}
