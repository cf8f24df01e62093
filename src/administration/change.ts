import type { Client } from '../clients/client.ts';
import type { RegistrationPolicy } from '../clients/diagnostics.ts';
import { keysOfClaims } from '../clients/registered-identities.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { type FieldChange, fieldChanges } from './field-changes.ts';
import { readStoredRecord, recordOf } from './stored-record.ts';

/**
 * One client that is to be written. `indexed` is one whose record stands as it should and whose entries in the index of
 * identities are missing.
 */
export interface Change {
  readonly kind: 'added' | 'changed' | 'removed' | 'indexed';
  readonly clientId: string;
  /** What the plan saw at its key. It is written only where that still stands there. */
  readonly seen: StoredValue;
  /** What is to stand there; undefined is nothing. */
  readonly next: string | undefined;
  /** Keys of identities where its `client_id` is to be entered before its record is written, and taken out after. */
  readonly enter: readonly string[];
  readonly leave: readonly string[];
}

/** What a client's record should be, and by which identities the index does not name it yet. */
export interface Desired {
  readonly clientId: string;
  readonly text: string;
  readonly client: Client;
  readonly notIndexed: readonly string[];
}

/** How one client gets from what stands in Redis to its record; undefined where nothing is to be done. */
export function planRecord(
  { clientId, text, client, notIndexed }: Desired,
  seen: StoredValue,
  policy: RegistrationPolicy,
): Change | undefined {
  const enter = notIndexed;
  if (seen.type === 'none') return { kind: 'added', clientId, seen, next: text, enter, leave: [] };
  if (isSameRecord(seen, text)) {
    return enter.length === 0 ? undefined : { kind: 'indexed', clientId, seen, next: text, enter, leave: [] };
  }
  const kept = new Set(keysOfClaims(client));
  const leave = identityKeys(clientId, seen, policy).filter((key) => !kept.has(key));
  return { kind: 'changed', clientId, seen, next: text, enter, leave };
}

/** How a client goes, whatever stands at its key; undefined where nothing does. */
export function planRemoval(clientId: string, seen: StoredValue, policy: RegistrationPolicy): Change | undefined {
  if (seen.type === 'none') return undefined;
  const leave = identityKeys(clientId, seen, policy);
  return { kind: 'removed', clientId, seen, next: undefined, enter: [], leave };
}

/** The fields that a change changes; of a client that goes, none. */
export function changedFields({ kind, seen, next }: Change): readonly FieldChange[] {
  if (kind === 'removed' || kind === 'indexed' || next === undefined) return [];
  const before = recordOf(seen);
  return fieldChanges(typeof before === 'string' ? {} : before, JSON.parse(next));
}

/** What a change replaces that was no record, in words. */
export function replacedValue({ seen }: Change): string | undefined {
  const before = seen.type === 'none' ? undefined : recordOf(seen);
  return typeof before === 'string' ? before : undefined;
}

/** Whoever writes records by hand orders and spaces them another way. */
function isSameRecord(seen: StoredValue, text: string): boolean {
  if (seen.type !== 'string' || seen.octets) return false;
  return seen.text === text || JSON.stringify(recordOf(seen)) === text;
}

/** The index keeps no entry of a value that cannot be read; where one has stayed it is stale, which harms nobody. */
function identityKeys(clientId: string, seen: StoredValue, policy: RegistrationPolicy): readonly string[] {
  const { client } = readStoredRecord(clientId, seen, policy, 0);
  return client ? keysOfClaims(client) : [];
}
