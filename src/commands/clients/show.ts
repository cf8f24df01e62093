import { type JsonObject, type ListedRecord, parseStoredValue } from '../../administration/stored-records.ts';
import { isEffective, type RegisteredIdentity } from '../../clients/identities.ts';
import { identitiesOf, registeredIdentitiesOf } from '../../clients/registered-identities.ts';
import { isClientId } from '../../oauth/grammar.ts';
import { OperatorError } from '../../operator-error.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { printValue, yamlText } from '../output/document.ts';
import { styled, table } from '../output/text.ts';
import { openAdministration } from './administer.ts';
import type { ClientsFormat } from './plan.ts';

/**
 * `countersign clients show ID`: a record, and what the server makes of it.
 *
 * @returns the exit code: 0, or 1 where the server cannot use the record
 * @throws {OperatorError} when there is no such client, or where Redis fails
 */
export function showClient(env: Environment, clientId: string, output: ClientsFormat): Promise<number> {
  return openAdministration(env, async ({ store, policy, now }) => {
    if (!isClientId(clientId))
      throw new OperatorError([`${printable(clientId)} is no client_id, so that nobody has it`]);
    const [value] = await store.read([clientId]);
    if (!value || value.type === 'none') throw new OperatorError([`client ${printable(clientId)} is not in Redis`]);
    const description = describeClient({ clientId, value, ...parseStoredValue(clientId, value, policy, now) }, now);
    if (output === 'table') console.log(linesOfClient(description).join('\n'));
    else printValue(output, description);
    return description.valid ? 0 : 1;
  });
}

/** One client in full, for programs. */
export interface ClientDescription extends ClientSummary {
  readonly warnings: readonly string[];
  readonly registrations: readonly Registration[];
  /** The record as it stands in Redis; absent where the value there is none. */
  readonly record?: JsonObject;
}

/** By what a client is registered, and in which time. */
export interface Registration {
  readonly identity: string;
  readonly not_before?: string;
  readonly not_after?: string;
  /** Whether it counts now. */
  readonly effective: boolean;
}

/** @param now milliseconds since the epoch */
export function describeClient(listed: ListedRecord, now: number): ClientDescription {
  const { client, record, warnings } = listed;
  return {
    ...summarizeClient(listed),
    warnings: warnings.map(({ field, message }) => `${field} ${message}`),
    registrations: client ? registeredIdentitiesOf(client).map((claim) => describeRegistration(claim, now)) : [],
    ...(record && { record }),
  };
}

/** A registration of a client, in words and with its time. */
export function describeRegistration(claim: RegisteredIdentity, now: number): Registration {
  const { notBefore, notAfter } = claim;
  return {
    identity: claim.identity.text,
    ...(notBefore !== undefined && { not_before: new Date(notBefore).toISOString() }),
    ...(notAfter !== undefined && { not_after: new Date(notAfter).toISOString() }),
    effective: isEffective(claim, now),
  };
}

/** The same for people. */
export function linesOfClient(description: ClientDescription): string[] {
  const {
    client_id: clientId,
    valid: usable,
    enabled,
    method = '',
    scopes = [],
    errors,
    warnings,
    record,
  } = description;
  const state = usable ? (enabled ? 'enabled' : 'disabled') : styled('red', 'unusable: the server refuses this client');
  const facts = [
    ['client_id', clientId],
    ['state', state],
  ];
  if (usable) facts.push(['method', method], ['scopes', scopes.join(' ') || '(none)']);
  return [
    ...table([...facts, ...description.registrations.map((each) => ['known by', formatRegistration(each)])]),
    ...errors.map((fault) => `${styled('red', 'error')} ${printable(fault)}`),
    ...warnings.map((warning) => `${styled('yellow', 'warning')} ${printable(warning)}`),
    ...(record ? ['', styled('bold', 'Its record:'), yamlText([record]).trimEnd()] : []),
  ];
}

/** In one line, by what and when a client is known. */
export function formatRegistration({
  identity,
  not_before: from,
  not_after: until,
  effective: isNow,
}: Registration): string {
  const times = [from && `from ${from}`, until && `until ${until}`, !isNow && 'not now'].filter(Boolean).join(', ');
  return printable(times === '' ? identity : `${identity} (${times})`);
}

/** One client of the list, for programs. Of what is no sound record, only what can be said. */
export interface ClientSummary {
  readonly client_id: string;
  /** Whether the server takes its record; where not, `faults` say why, and the client is refused. */
  readonly valid: boolean;
  readonly enabled?: boolean;
  readonly method?: string;
  /** What it is known by, in words. */
  readonly identities?: readonly string[];
  readonly scopes?: readonly string[];
  readonly errors: readonly string[];
}

export function summarizeClient({ clientId, client, errors }: ListedRecord): ClientSummary {
  const messages = errors.map(({ field, message }) => `${field} ${message}`);
  if (!client) return { client_id: clientId, valid: false, errors: messages };
  return {
    client_id: clientId,
    valid: true,
    enabled: client.enabled,
    method: client.authentication.method,
    identities: identitiesOf(client).map(({ text }) => text),
    scopes: client.scopes,
    errors: messages,
  };
}
