import type { z } from 'zod';
import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
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

/** One entry that a client is recognized by, and its method: a name, or a certificate. */
export type Registration = {
  [Name in AuthenticationMethodName]: { readonly method: Name } & ReturnType<
    (typeof authenticationMethods)[Name]['parse']
  >[number];
}[AuthenticationMethodName];

/** All entries of a client. Those that require a verified chain are last, so that the others are tried without one. */
export type Registrations = readonly [Registration, ...Registration[]];

type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (member: infer All) => void
  ? All
  : never;

/** The record fields of all methods. */
export const methodFields = Object.assign(
  {},
  ...Object.values(authenticationMethods).map(({ fields }) => fields),
  // Safe: no two methods have a field of the same name.
) as Intersection<(typeof authenticationMethods)[AuthenticationMethodName]['fields']>;

type AnyMethod = AuthenticationMethod<Registration, z.ZodRawShape>;

/** The descriptor of the method of a registration; `undefined` for a name that is not in the table. */
export function methodOf({ method }: Registration): AnyMethod | undefined {
  if (!Object.hasOwn(authenticationMethods, method)) return undefined;
  // Safe: the descriptor under a name takes what `parse` of the same descriptor returned under that name.
  return authenticationMethods[method] as unknown as AnyMethod;
}

/** The names of the methods of a client, without duplicates. */
export function methodNames(registrations: Registrations): readonly AuthenticationMethodName[] {
  const registered = new Set(registrations.map(({ method }) => method));
  return authenticationMethodNames.filter((name) => registered.has(name));
}

/** Whether a registration is for this certificate, as far as that does not depend on the time and on the chain. */
export function recognizes(registration: Registration, certificate: ClientCertificate): boolean {
  return methodOf(registration)?.recognizes(registration, certificate) ?? false;
}

/** The pattern of SPIFFE IDs of a client, which has at most one. */
export function spiffePatternOf(registrations: Registrations): SpiffePattern | undefined {
  for (const registration of registrations) {
    const pattern = methodOf(registration)?.spiffePattern(registration);
    if (pattern) return pattern;
  }
  return undefined;
}

export function caPinsOf(registration: Registration): readonly string[] {
  return methodOf(registration)?.caPins(registration) ?? [];
}

/** Whether a certificate counts for the registration only if its chain is verified. */
export function requiresChain(registration: Registration): boolean {
  return methodOf(registration)?.requiresChain ?? true;
}
