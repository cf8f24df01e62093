import type { Client } from '../clients/client.ts';
import type { Form } from '../oauth/form.ts';

/** What a grant decides from. */
export interface GrantRequest {
  /** Authenticated, and registered for the grant type. */
  readonly client: Client;
  /** The subject of its tokens, as authenticated. */
  readonly sub: string;
  readonly form: Form;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What a grant decided: everything about the token except its signature. */
export interface Authorization {
  readonly sub: string;
  readonly scope: readonly string[];
  /** Empty if the client has no audience registered and requested none. */
  readonly audience: readonly string[];
  readonly lifetimeSeconds: number;
}

/**
 * One grant type: turns an authenticated client and its request into an authorization.
 *
 * @throws {OAuthError}
 */
export type Grant = (request: GrantRequest) => Authorization | Promise<Authorization>;
