import type { Registered } from '../clients/files/record-files.ts';
import { registeredKeys } from '../clients/registered-identities.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import type { RecordKey } from '../resources/record-types.ts';
import { audienceKey } from '../resources/resource.ts';
import { diffFields, type FieldChange } from './field-changes.ts';
import { decodeStoredValue, parseRegistered } from './stored-records.ts';

/** One record to write. `reindexed`: it is up to date, and its index entries are missing. */
export interface Change extends RecordKey {
  readonly kind: 'added' | 'changed' | 'removed' | 'reindexed';
  /** The value that the plan is based on. The record is written only while Redis still holds it. */
  readonly expected: StoredValue;
  /** The new value; undefined removes it. */
  readonly next: string | undefined;
  /** Keys of the index of its type: it is added to these before its record is written. */
  readonly addedKeys: readonly string[];
  /** It is removed from these afterwards. */
  readonly removedKeys: readonly string[];
}

/** A record that should be in Redis. */
interface DesiredRecord extends RecordKey {
  readonly text: string;
  readonly indexKeys: readonly string[];
  /** Those that do not name the record yet. */
  readonly missingKeys: readonly string[];
}

/** @returns how to get from the value in Redis to the desired record; undefined when nothing is to be done */
export function planRecord(
  { type, id, text, indexKeys, missingKeys: addedKeys }: DesiredRecord,
  expected: StoredValue,
  policy: RegistrationPolicy,
): Change | undefined {
  const write = { type, id, expected, next: text, addedKeys };
  if (expected.type === 'none') return { kind: 'added', ...write, removedKeys: [] };
  if (isSameRecord({ type, id }, expected, text)) {
    return addedKeys.length === 0 ? undefined : { kind: 'reindexed', ...write, removedKeys: [] };
  }
  const kept = new Set(indexKeys);
  const removedKeys = storedKeys({ type, id }, expected, policy).filter((key) => !kept.has(key));
  return { kind: 'changed', ...write, removedKeys };
}

/** Records that were written manually may differ in order and white space. */
function isSameRecord(key: RecordKey, expected: StoredValue, text: string): boolean {
  if (expected.type !== 'string' || expected.bytes) return false;
  return expected.text === text || JSON.stringify(decodeStoredValue(key, expected)) === text;
}

/** @returns how to remove a record, whatever its value is; undefined when there is none */
export function planRemoval(key: RecordKey, expected: StoredValue, policy: RegistrationPolicy): Change | undefined {
  if (expected.type === 'none') return undefined;
  const { type, id } = key;
  const removedKeys = storedKeys(key, expected, policy);
  return { kind: 'removed', type, id, expected, next: undefined, addedKeys: [], removedKeys };
}

/** Index entries of an invalid record are unknown. Any that stay are stale, which is harmless. */
function storedKeys(key: RecordKey, value: StoredValue, policy: RegistrationPolicy): readonly string[] {
  const registered = parseRegistered(key, value, policy, 0);
  return registered ? indexKeysOf(registered) : [];
}

/** The keys of the index of its type that name the record: the identities of a client, or the audience of a resource. */
export function indexKeysOf(registered: Registered): readonly string[] {
  return registered.type === 'client' ? registeredKeys(registered.client) : [audienceKey(registered.resource.audience)];
}

/** The fields that a change adds, changes or removes; none for a removed record. */
export function changedFields(change: Change): readonly FieldChange[] {
  const { kind, expected, next } = change;
  if (kind === 'removed' || kind === 'reindexed' || next === undefined) return [];
  const before = decodeStoredValue(change, expected);
  return diffFields(typeof before === 'string' ? {} : before, JSON.parse(next));
}

/** @returns what the replaced value is, in words, when it is not a record */
export function replacedValue(change: Change): string | undefined {
  const { expected } = change;
  const before = expected.type === 'none' ? undefined : decodeStoredValue(change, expected);
  return typeof before === 'string' ? before : undefined;
}
