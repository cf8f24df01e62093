import type { Client } from '../clients/client.ts';
import { registeredKeys } from '../clients/registered-identities.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { diffFields, type FieldChange } from './field-changes.ts';
import { decodeStoredValue, parseStoredValue } from './stored-records.ts';

/** One client to write. `reindexed`: its record is up to date, and entries in the identity index are missing. */
export interface Change {
  readonly kind: 'added' | 'changed' | 'removed' | 'reindexed';
  readonly clientId: string;
  /** The value that the plan is based on. The client is written only while Redis still holds it. */
  readonly expected: StoredValue;
  /** The new value; undefined removes it. */
  readonly next: string | undefined;
  /** Keys of the identity index: the client is added to these before its record is written. */
  readonly addedKeys: readonly string[];
  /** It is removed from these afterwards. */
  readonly removedKeys: readonly string[];
}

/** The record that a client should have, and the index keys that do not name the client yet. */
interface DesiredRecord {
  readonly clientId: string;
  readonly text: string;
  readonly client: Client;
  readonly missingKeys: readonly string[];
}

/** @returns how to get from the value in Redis to the desired record; undefined when nothing is to be done */
export function planRecord(
  { clientId, text, client, missingKeys: addedKeys }: DesiredRecord,
  expected: StoredValue,
  policy: RegistrationPolicy,
): Change | undefined {
  const write = { clientId, expected, next: text, addedKeys };
  if (expected.type === 'none') return { kind: 'added', ...write, removedKeys: [] };
  if (isSameRecord(expected, text)) {
    return addedKeys.length === 0 ? undefined : { kind: 'reindexed', ...write, removedKeys: [] };
  }
  const kept = new Set(registeredKeys(client));
  const removedKeys = storedKeys(clientId, expected, policy).filter((key) => !kept.has(key));
  return { kind: 'changed', ...write, removedKeys };
}

/** Records that were written manually may differ in order and white space. */
function isSameRecord(expected: StoredValue, text: string): boolean {
  if (expected.type !== 'string' || expected.bytes) return false;
  return expected.text === text || JSON.stringify(decodeStoredValue(expected)) === text;
}

/** @returns how to remove a client, whatever its value is; undefined when there is none */
export function planRemoval(clientId: string, expected: StoredValue, policy: RegistrationPolicy): Change | undefined {
  if (expected.type === 'none') return undefined;
  const removedKeys = storedKeys(clientId, expected, policy);
  return { kind: 'removed', clientId, expected, next: undefined, addedKeys: [], removedKeys };
}

/** Index entries of an invalid record are unknown. Any that stay are stale, which is harmless. */
function storedKeys(clientId: string, value: StoredValue, policy: RegistrationPolicy): readonly string[] {
  const { client } = parseStoredValue(clientId, value, policy, 0);
  return client ? registeredKeys(client) : [];
}

/** The fields that a change adds, changes or removes; none for a removed client. */
export function changedFields({ kind, expected, next }: Change): readonly FieldChange[] {
  if (kind === 'removed' || kind === 'reindexed' || next === undefined) return [];
  const before = decodeStoredValue(expected);
  return diffFields(typeof before === 'string' ? {} : before, JSON.parse(next));
}

/** @returns what the replaced value is, in words, when it is not a record */
export function replacedValue({ expected }: Change): string | undefined {
  const before = expected.type === 'none' ? undefined : decodeStoredValue(expected);
  return typeof before === 'string' ? before : undefined;
}
