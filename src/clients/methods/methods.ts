import type { z } from 'zod';
import type { RegisteredIdentity } from '../identities.ts';
import type { SpiffePattern } from '../spiffe-pattern.ts';
import type { AuthenticationMethod } from './method.ts';
import { selfSignedTlsClientAuth } from './self-signed-tls-client-auth.ts';
import { tlsClientAuth } from './tls-client-auth.ts';

/** Every method that a client may register (RFC 8705 §2), by its `token_endpoint_auth_method`. */
export const authenticationMethods = {
  tls_client_auth: tlsClientAuth,
  self_signed_tls_client_auth: selfSignedTlsClientAuth,
} as const;

export type AuthenticationMethodName = keyof typeof authenticationMethods;

export const authenticationMethodNames = Object.keys(authenticationMethods) as [
  AuthenticationMethodName,
  ...AuthenticationMethodName[],
];

/** How a client authenticates: its one method, with what that method parsed from the record. */
export type ClientAuthentication = {
  [Name in AuthenticationMethodName]: { readonly method: Name } & NonNullable<
    ReturnType<(typeof authenticationMethods)[Name]['parse']>
  >;
}[AuthenticationMethodName];

type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (member: infer All) => void
  ? All
  : never;

/** The record fields of all methods. */
export const methodFields = Object.assign(
  {},
  ...Object.values(authenticationMethods).map(({ fields }) => fields),
  // Safe: no two methods have a field of the same name.
) as Intersection<(typeof authenticationMethods)[AuthenticationMethodName]['fields']>;

type AnyMethod = AuthenticationMethod<ClientAuthentication, z.ZodRawShape>;

/** The descriptor of a client's method; `undefined` for a name that is not in the table. */
export function methodOf({ method }: ClientAuthentication): AnyMethod | undefined {
  if (!Object.hasOwn(authenticationMethods, method)) return undefined;
  // Safe: the descriptor under a name takes what `parse` of the same descriptor returned under that name.
  return authenticationMethods[method] as unknown as AnyMethod;
}

export function identitiesOfAuthentication(registered: ClientAuthentication): readonly RegisteredIdentity[] {
  return methodOf(registered)?.identities(registered) ?? [];
}

export function spiffePatternOf(registered: ClientAuthentication): SpiffePattern | undefined {
  return methodOf(registered)?.spiffePattern(registered);
}

export function caPinsOf(registered: ClientAuthentication): readonly string[] {
  return methodOf(registered)?.caPins(registered) ?? [];
}

/** Whether the client can only authenticate with a certificate whose chain is verified. */
export function requiresChain(registered: ClientAuthentication): boolean {
  return methodOf(registered)?.requiresChain ?? true;
}
