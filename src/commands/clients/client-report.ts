import type { ListedRecord } from '../../administration/stored-records.ts';
import { formatDiagnostic } from '../../clients/diagnostics.ts';
import { isEffective, type RegisteredIdentity } from '../../clients/identities.ts';
import type { JsonObject } from '../../clients/json-value.ts';
import { methodNames } from '../../clients/methods/methods.ts';
import { identitiesOf, registeredIdentitiesOf } from '../../clients/registered-identities.ts';
import { printable } from '../../text.ts';

/** A client in full, in JSON and YAML. */
export interface ClientDescription extends ClientSummary {
  readonly warnings: readonly string[];
  readonly registrations: readonly Registration[];
  /** The record as stored in Redis; absent when the value is not a JSON object. */
  readonly record?: JsonObject;
}

/** One client of the list, in JSON and YAML. Of an invalid record, only `client_id` and `errors` are known. */
export interface ClientSummary {
  readonly client_id: string;
  /** Whether the server accepts the record. Otherwise it rejects the client, and `errors` has the reasons. */
  readonly valid: boolean;
  readonly enabled?: boolean;
  readonly method?: string;
  readonly identities?: readonly string[];
  readonly scopes?: readonly string[];
  readonly errors: readonly string[];
}

/** A registered identity and when it is effective (ISO 8601). */
export interface Registration {
  readonly identity: string;
  readonly description?: string;
  readonly not_before?: string;
  readonly not_after?: string;
  /** Whether it is effective now. */
  readonly effective: boolean;
}

/** @param now milliseconds since the epoch */
export function describeClient(listed: ListedRecord, now: number): ClientDescription {
  const { client, record, warnings } = listed;
  return {
    ...summarizeClient(listed),
    warnings: warnings.map(formatDiagnostic),
    registrations: client
      ? registeredIdentitiesOf(client).map((registered) => describeRegistration(registered, now))
      : [],
    ...(record && { record }),
  };
}

export function summarizeClient({ clientId, client, errors }: ListedRecord): ClientSummary {
  const messages = errors.map(formatDiagnostic);
  if (!client) return { client_id: clientId, valid: false, errors: messages };
  return {
    client_id: clientId,
    valid: true,
    enabled: client.enabled,
    method: methodNames(client.registrations).join(', '),
    identities: identitiesOf(client).map(({ text }) => text),
    scopes: client.scopes,
    errors: messages,
  };
}

/** @param now milliseconds since the epoch */
export function describeRegistration(registered: RegisteredIdentity, now: number): Registration {
  const { identity, description, notBefore, notAfter } = registered;
  return {
    identity: identity.text,
    ...(description !== undefined && { description }),
    ...(notBefore !== undefined && { not_before: new Date(notBefore).toISOString() }),
    ...(notAfter !== undefined && { not_after: new Date(notAfter).toISOString() }),
    effective: isEffective(registered, now),
  };
}

/** One line: the identity, its description, and when it is effective. */
export function formatRegistration({ identity, description, not_before, not_after, effective }: Registration): string {
  const times = [
    description,
    not_before && `from ${not_before}`,
    not_after && `until ${not_after}`,
    !effective && 'not effective now',
  ];
  const period = times.filter(Boolean).join(', ');
  return printable(period === '' ? identity : `${identity} (${period})`);
}
