import type { MatchableName } from '../pki/certificate/names/distinguished-name.ts';
import type { AlternativeNameKind } from '../pki/certificate/subject-alternative-names.ts';
import type { RegisteredThumbprint } from '../pki/certificate/thumbprint.ts';
import type { Json } from './json-value.ts';

/** The subject value that a client of `tls_client_auth` is registered by: exactly one (RFC 8705 §2.1.2). */
export type RegisteredSubject =
  | { readonly kind: 'dn'; readonly name: MatchableName }
  | { readonly kind: AlternativeNameKind; readonly name: string };

/**
 * One certificate of a client of `self_signed_tls_client_auth` (RFC 8705 §2.2): this very one, or any over this key.
 * The registration counts from `notBefore` to `notAfter`, milliseconds since the epoch, both included.
 */
export type RegisteredCertificate = {
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
} & (
  | {
      readonly by: 'thumbprint';
      readonly thumbprint: RegisteredThumbprint;
      /** Keys of all identities by which the certificate is known; none where the record holds only its thumbprint. */
      readonly certificateKeys: readonly string[];
    }
  | { readonly by: 'public_key'; readonly publicKeyThumbprint: string }
);

/** How a client authenticates: the one method that it registered, with what that method needs. */
export type ClientAuthentication =
  | {
      readonly method: 'tls_client_auth';
      readonly subject: RegisteredSubject;
      /** Public keys (SHA-256, base64url) of CAs, through one of which the path must go; none: any anchor will do. */
      readonly caPins: readonly string[];
      /** Milliseconds since the epoch after which the registration no longer counts. */
      readonly notAfter: number | undefined;
    }
  | { readonly method: 'self_signed_tls_client_auth'; readonly certificates: readonly RegisteredCertificate[] };

export type AuthenticationMethodName = ClientAuthentication['method'];

export type GrantType = 'client_credentials';

/** A client as the registry gives it: validated, parsed, ready to be compared with a request. */
export interface Client {
  readonly clientId: string;
  readonly enabled: boolean;
  readonly authentication: ClientAuthentication;
  readonly grantTypes: readonly GrantType[];
  readonly scopes: readonly string[];
  /** The audiences of every token, and those that single scopes add (RFC 9068 §3). */
  readonly byScope: { readonly always: readonly string[]; readonly ofScope: ReadonlyMap<string, readonly string[]> };
  readonly accessTokenLifetimeSeconds: number;
  readonly scopeClaim: 'string' | 'array';
  /** Claims to add to its tokens; none of them is one that we set. */
  readonly claims: Readonly<Record<string, Json>>;
}
