import type { Client } from '../clients/client.ts';
import type { Json } from '../clients/json-value.ts';
import { registeredKeys } from '../clients/registered-identities.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { decodeStoredValue, parseStoredValue } from './stored-records.ts';

/**
 * One client that is to be written. `reindexed` is one whose record stands as it should and whose entries in the index of
 * identities are missing.
 */
export interface Change {
  readonly kind: 'added' | 'changed' | 'removed' | 'reindexed';
  readonly clientId: string;
  /** What the plan saw at its key. It is written only where that still stands there. */
  readonly expected: StoredValue;
  /** What is to stand there; undefined is nothing. */
  readonly next: string | undefined;
  /** Keys of identities where its `client_id` is to be entered before its record is written, and taken out after. */
  readonly addedKeys: readonly string[];
  readonly removedKeys: readonly string[];
}

/** What a client's record should be, and by which identities the index does not name it yet. */
export interface DesiredRecord {
  readonly clientId: string;
  readonly text: string;
  readonly client: Client;
  readonly missingKeys: readonly string[];
}

/** How one client gets from what stands in Redis to its record; undefined where nothing is to be done. */
export function planRecord(
  { clientId, text, client, missingKeys: unindexed }: DesiredRecord,
  expected: StoredValue,
  policy: RegistrationPolicy,
): Change | undefined {
  const enter = unindexed;
  if (expected.type === 'none')
    return { kind: 'added', clientId, expected, next: text, addedKeys: enter, removedKeys: [] };
  if (isSameRecord(expected, text)) {
    return enter.length === 0
      ? undefined
      : { kind: 'reindexed', clientId, expected, next: text, addedKeys: enter, removedKeys: [] };
  }
  const kept = new Set(registeredKeys(client));
  const leave = identityKeys(clientId, expected, policy).filter((key) => !kept.has(key));
  return { kind: 'changed', clientId, expected, next: text, addedKeys: enter, removedKeys: leave };
}

/** How a client goes, whatever stands at its key; undefined where nothing does. */
export function planRemoval(clientId: string, expected: StoredValue, policy: RegistrationPolicy): Change | undefined {
  if (expected.type === 'none') return undefined;
  const leave = identityKeys(clientId, expected, policy);
  return { kind: 'removed', clientId, expected, next: undefined, addedKeys: [], removedKeys: leave };
}

/** The fields that a change changes; of a client that goes, none. */
export function changedFields({ kind, expected, next }: Change): readonly FieldChange[] {
  if (kind === 'removed' || kind === 'reindexed' || next === undefined) return [];
  const before = decodeStoredValue(expected);
  return diffFields(typeof before === 'string' ? {} : before, JSON.parse(next));
}

/** What a change replaces that was no record, in words. */
export function replacedValue({ expected }: Change): string | undefined {
  const before = expected.type === 'none' ? undefined : decodeStoredValue(expected);
  return typeof before === 'string' ? before : undefined;
}

/** Whoever writes records by hand orders and spaces them another way. */
function isSameRecord(expected: StoredValue, text: string): boolean {
  if (expected.type !== 'string' || expected.bytes) return false;
  return expected.text === text || JSON.stringify(decodeStoredValue(expected)) === text;
}

/** The index keeps no entry of a value that cannot be read; where one has stayed it is stale, which harms nobody. */
function identityKeys(clientId: string, expected: StoredValue, policy: RegistrationPolicy): readonly string[] {
  const { client } = parseStoredValue(clientId, expected, policy, 0);
  return client ? registeredKeys(client) : [];
}

/** A field that differs, as a path (`certificates[0].note`); undefined is absent. */
export interface FieldChange {
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/**
 * How one value becomes another, field by field. Of two lists, what they begin and end with alike is left out, so that
 * an item that was put in or taken out is told as that.
 *
 * @returns none where both are alike
 */
export function diffFields(before: Json | undefined, after: Json | undefined, field = ''): readonly FieldChange[] {
  if (isList(before) && isList(after)) return changesOfLists(before, after, field);
  if (isObject(before) && isObject(after)) return changesOfObjects(before, after, field);
  return sameJson(before, after) ? [] : [{ field, before, after }];
}

type JsonObject = { readonly [name: string]: Json };

function changesOfObjects(before: JsonObject, after: JsonObject, field: string): readonly FieldChange[] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].flatMap((name) => diffFields(own(before, name), own(after, name), pathOf(field, name)));
}

function pathOf(parent: string, name: string): string {
  // A name with a dot or a bracket would read like a path.
  const part = /^[^.[\]"\s]+$/.test(name) ? name : JSON.stringify(name);
  return parent === '' ? part : `${parent}.${part}`;
}

function changesOfLists(before: readonly Json[], after: readonly Json[], field: string): readonly FieldChange[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && sameJson(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && sameJson(before.at(-1 - end), after.at(-1 - end))) end += 1;
  const length = Math.max(before.length, after.length) - start - end;
  return Array.from({ length }, (_, offset) => start + offset).flatMap((index) => {
    const item = (list: readonly Json[]) => (index < list.length - end ? list[index] : undefined);
    return diffFields(item(before), item(after), `${field}[${index}]`);
  });
}

function own(value: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Both come from records whose names stand in one order. */
function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
