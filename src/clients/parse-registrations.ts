import type { Diagnostics } from './diagnostics.ts';
import type { SecretType } from './methods/method.ts';
import {
  type AuthenticationMethodName,
  authenticationMethodNames,
  authenticationMethods,
  type Registration,
  type Registrations,
  requiresChain,
} from './methods/methods.ts';
import type { ClientRecord } from './record-schema.ts';
import type { RegistrationPolicy } from './registration-policy.ts';

/**
 * Parses what a client is registered by: one entry each for its names and its certificates.
 *
 * @returns those that require a verified chain last; undefined if there are none, and the diagnostics state why
 */
export function parseRegistrations(
  record: ClientRecord,
  policy: RegistrationPolicy,
  diagnostics: Diagnostics,
  now: number,
): Registrations | undefined {
  const methods = methodsIn(record);
  if (methods.length === 0) diagnostics.errors.push({ field: 'token_endpoint_auth_method', message: 'is missing' });
  rejectForeignFields(record, methods, diagnostics);
  const [first, ...others] = methods
    .flatMap((method) => parseEntries(method, record, policy, diagnostics, now))
    .sort((one, other) => Number(requiresChain(one)) - Number(requiresChain(other)));
  return first && [first, ...others];
}

/** The method that the record names, or those that its IdentityServer secrets imply. */
function methodsIn({ token_endpoint_auth_method: method, client_secrets = [] }: ClientRecord) {
  if (method !== undefined) return [method];
  const implied = new Set(client_secrets.map(({ type }) => methodOfSecretType(type)));
  return authenticationMethodNames.filter((name) => implied.has(name));
}

function parseEntries(
  method: AuthenticationMethodName,
  ...input: [ClientRecord, RegistrationPolicy, Diagnostics, number]
): readonly Registration[] {
  // Safe: the descriptor under a name parses what is registered under that name.
  return authenticationMethods[method].parse(...input).map((entry) => ({ method, ...entry }) as Registration);
}

function methodOfSecretType(type: SecretType): AuthenticationMethodName | undefined {
  return authenticationMethodNames.find((name) => authenticationMethods[name].secretTypes.includes(type));
}

function rejectForeignFields(
  record: ClientRecord,
  methods: readonly AuthenticationMethodName[],
  { errors }: Diagnostics,
): void {
  const [method, ...others] = methods;
  // Secrets of both kinds: a field of either may be there.
  if (method === undefined || others.length > 0) return;
  for (const field of foreignFields(method)) {
    const message = `does not belong to ${method}; a client has one method, unless its client_secrets are of both kinds`;
    if (record[field] !== undefined) errors.push({ field, message });
  }
  for (const [index, { type }] of (record.client_secrets ?? []).entries()) {
    const message = `does not belong to ${method}; for secrets of both kinds, remove token_endpoint_auth_method`;
    if (methodOfSecretType(type) !== method) errors.push({ field: `client_secrets[${index}].type`, message });
  }
}

/** The fields that only clients of other methods may have. */
export function foreignFields(method: AuthenticationMethodName): (keyof ClientRecord)[] {
  return authenticationMethodNames.flatMap((other) =>
    // Safe: the record schema consists of the fields of every method and the common ones.
    other === method ? [] : (Object.keys(authenticationMethods[other].fields) as (keyof ClientRecord)[]),
  );
}
