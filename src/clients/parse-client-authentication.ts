import type { Diagnostics } from './diagnostics.ts';
import type { SecretType } from './methods/method.ts';
import {
  type AuthenticationMethodName,
  authenticationMethodNames,
  authenticationMethods,
  type ClientAuthentication,
} from './methods/methods.ts';
import type { ClientRecord } from './record-schema.ts';
import type { RegistrationPolicy } from './registration-policy.ts';

/**
 * Parses how a client authenticates: by the method that the record names, or that its IdentityServer secrets imply.
 *
 * @returns `undefined` if no method can be parsed; the diagnostics state why
 */
export function parseClientAuthentication(
  record: ClientRecord,
  policy: RegistrationPolicy,
  diagnostics: Diagnostics,
  now: number,
): ClientAuthentication | undefined {
  const method = record.token_endpoint_auth_method ?? methodOfSecrets(record, diagnostics);
  if (method === undefined) return undefined;
  rejectForeignFields(record, method, diagnostics);
  const registered = authenticationMethods[method].parse(record, policy, diagnostics, now);
  // Safe: the descriptor under a name parses what is registered under that name.
  return registered && ({ method, ...registered } as ClientAuthentication);
}

/** IdentityServer tries every secret. A client of ours has one method, so all of its secrets must stand for that one. */
function methodOfSecrets(record: ClientRecord, { errors }: Diagnostics): AuthenticationMethodName | undefined {
  const [method, another] = new Set(record.client_secrets?.map(({ type }) => methodOfSecretType(type)));
  if (method === undefined) errors.push({ field: 'token_endpoint_auth_method', message: 'is missing' });
  if (another === undefined) return method;
  errors.push({
    field: 'client_secrets',
    message: 'mix names and thumbprints; a client has one method, so register two clients',
  });
  return undefined;
}

function methodOfSecretType(type: SecretType): AuthenticationMethodName | undefined {
  return authenticationMethodNames.find((name) => authenticationMethods[name].secretTypes.includes(type));
}

function rejectForeignFields(record: ClientRecord, method: AuthenticationMethodName, { errors }: Diagnostics): void {
  const message = `does not belong to ${method}; a client has one method`;
  for (const field of foreignFields(method)) if (record[field] !== undefined) errors.push({ field, message });
  for (const [index, { type }] of (record.client_secrets ?? []).entries()) {
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
