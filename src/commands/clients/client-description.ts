import { describeIdentity } from '../../administration/conflict.ts';
import type { JsonObject, ListedRecord } from '../../administration/stored-records.ts';
import type { Client } from '../../clients/client.ts';
import { type Claim, claimsOf, isInForce } from '../../clients/registered-identities.ts';
import { printable } from '../../text.ts';
import { yamlText } from '../document.ts';
import { styled, table } from '../output.ts';
import { type ClientReport, reportOnClient } from './client-report.ts';

/** One client in full, for programs. */
export interface ClientDescription extends ClientReport {
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
  readonly in_force: boolean;
}

/** @param now milliseconds since the epoch */
export function describeClient(listed: ListedRecord, now: number): ClientDescription {
  const { client, record, warnings } = listed;
  return {
    ...reportOnClient(listed),
    warnings: warnings.map(({ field, message }) => `${field} ${message}`),
    registrations: client ? claimsOf(client).map((claim) => describeClaim(claim, client, now)) : [],
    ...(record && { record }),
  };
}

/** A registration of a client, in words and with its time. */
export function describeClaim(claim: Claim, client: Client, now: number): Registration {
  const { notBefore, notAfter } = claim;
  return {
    identity: describeIdentity(claim.identity, client),
    ...(notBefore !== undefined && { not_before: new Date(notBefore).toISOString() }),
    ...(notAfter !== undefined && { not_after: new Date(notAfter).toISOString() }),
    in_force: isInForce(claim, now),
  };
}

/** The same for people. */
export function linesOfClient(description: ClientDescription): string[] {
  const { client_id: clientId, usable, enabled, method = '', scopes = [], faults, warnings, record } = description;
  const state = usable ? (enabled ? 'enabled' : 'disabled') : styled('red', 'unusable: the server refuses this client');
  const facts = [
    ['client_id', clientId],
    ['state', state],
  ];
  if (usable) facts.push(['method', method], ['scopes', scopes.join(' ') || '(none)']);
  return [
    ...table([...facts, ...description.registrations.map((each) => ['known by', wordsOf(each)])]),
    ...faults.map((fault) => `${styled('red', 'fault')} ${printable(fault)}`),
    ...warnings.map((warning) => `${styled('yellow', 'warning')} ${printable(warning)}`),
    ...(record ? ['', styled('bold', 'Its record:'), yamlText([record]).trimEnd()] : []),
  ];
}

/** In one line, by what and when a client is known. */
export function wordsOf({ identity, not_before: from, not_after: until, in_force: isNow }: Registration): string {
  const times = [from && `from ${from}`, until && `until ${until}`, !isNow && 'not now'].filter(Boolean).join(', ');
  return printable(times === '' ? identity : `${identity} (${times})`);
}
