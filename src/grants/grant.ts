import type { Client } from '../clients/client.ts';
import type { Form } from '../oauth/form.ts';

/** What a grant decided: everything about the token that is not a matter of signing it. */
export interface Authorization {
  readonly clientId: string;
  readonly sub: string;
  readonly scope: readonly string[];
  /** Empty where the client has no audience registered and asked for none. */
  readonly audience: readonly string[];
  readonly lifetimeSeconds: number;
}

/**
 * One grant type: turns an authenticated client and its request into an authorization.
 *
 * @throws {OAuthError}
 */
export type Grant = (client: Client, form: Form) => Authorization;
