import type { Client } from '../clients/client.ts';
import type { Diagnostic } from '../clients/diagnostics.ts';
import type { JsonObject } from '../clients/json-value.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { serializeRecord } from '../clients/serialize-record.ts';
import { decodeRecord, parseStoredRecord } from '../clients/stored-record.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { prefetch } from './prefetch.ts';
import type { Progress, RecordStore } from './record-store.ts';

/** One value of Redis, and what the server makes of it. */
export interface ListedRecord extends ParsedValue {
  readonly clientId: string;
  readonly value: StoredValue;
}

export interface ListOptions {
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly progress: Progress;
  /** Which `client_id`s, with the globs of Redis. Default: all. */
  readonly pattern?: string | undefined;
}

const PART = 1_000;

/**
 * Everything that stands where records do, in the order of the `client_id`s. Only those are held at once, and not the
 * records.
 *
 * @throws {AdministrationError} where Redis fails
 */
export async function* listRecords(store: RecordStore, options: ListOptions): AsyncGenerator<ListedRecord> {
  const { policy, now, progress, pattern } = options;
  const found = new Set<string>();
  for await (const batch of store.clientIds(pattern)) for (const clientId of batch) found.add(clientId);
  const clientIds = [...found].sort();
  const read = async (part: readonly string[]) => ({ part, values: await store.read(part) });
  let count = 0;
  for await (const { part, values } of prefetch(inParts(clientIds), read)) {
    for (const [index, clientId] of part.entries()) {
      const value = values[index];
      if (value && value.type !== 'none') yield { clientId, value, ...parseStoredValue(clientId, value, policy, now) };
    }
    count += part.length;
    progress('read', count, clientIds.length);
  }
}

async function* inParts(clientIds: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let start = 0; start < clientIds.length; start += PART) yield clientIds.slice(start, start + PART);
}

/** What the server makes of the value of a client's key. */
export interface ParsedValue {
  /** The record as the value holds it; undefined where that is no object of JSON. */
  readonly record: JsonObject | undefined;
  /** Undefined where the value is not a sound record of this client, which is then nobody's. */
  readonly client: Client | undefined;
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

export type { JsonObject } from '../clients/json-value.ts';

/**
 * Reads the value of a client's key by the server's own rules.
 *
 * @param now milliseconds since the epoch
 */
export function parseStoredValue(
  clientId: string,
  value: StoredValue,
  policy: RegistrationPolicy,
  now: number,
): ParsedValue {
  const stored = storedObject(value);
  if (typeof stored === 'string') {
    return { record: undefined, client: undefined, errors: [{ field: '(record)', message: stored }], warnings: [] };
  }
  // What stands there, and not what is written in its location.
  const read = parseStoredRecord(clientId, stored, policy, now);
  const record = inOrder(stored);
  if (!read.ok) return { record, client: undefined, errors: read.errors, warnings: [] };
  return { record, client: read.client, errors: [], warnings: read.warnings };
}

/**
 * The object of JSON that a value holds, its names in the order of the schema, or in words what it is instead.
 */
export function decodeStoredValue(value: StoredValue): JsonObject | string {
  const stored = storedObject(value);
  return typeof stored === 'string' ? stored : inOrder(stored);
}

function storedObject(value: StoredValue): JsonObject | string {
  if (value.type === 'none') return 'is not there';
  if (value.type === 'other') return `is a ${value.name}; expected a string of JSON`;
  return decodeRecord(value.bytes ?? value.text);
}

/** Nothing is lost on the way: what could be is no record. */
function inOrder(record: JsonObject): JsonObject {
  return JSON.parse(serializeRecord(record));
}
