import type { Client } from '../clients/client.ts';
import type { Diagnostic } from '../clients/diagnostics.ts';
import type { Registered } from '../clients/files/record-files.ts';
import type { JsonObject } from '../clients/json-value.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { decodeRecord, parseStoredRecord } from '../clients/stored-record.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { clientKey, type RecordKey, type RecordType, recordTypes, resourceKey } from '../resources/record-types.ts';
import type { Resource } from '../resources/resource.ts';
import { parseStoredResource } from '../resources/stored-resource.ts';
import { prefetch } from './prefetch.ts';
import type { Progress, RecordStore } from './record-store.ts';

/** The value of a client in Redis, and how the server interprets it. */
export interface ListedRecord extends ParsedValue {
  readonly clientId: string;
  readonly value: StoredValue;
}

/** The value of a resource in Redis, and how the server interprets it. */
export interface ListedResource {
  readonly name: string;
  /** The record in the value; undefined when it is not a JSON object. */
  readonly record: JsonObject | undefined;
  /** Undefined when the value is not a valid record of this resource. The edge then rejects its requests. */
  readonly resource: Resource | undefined;
  readonly errors: readonly Diagnostic[];
}

/** How the server interprets the value of a client's key. */
interface ParsedValue {
  /** The record in the value; undefined when it is not a JSON object. */
  readonly record: JsonObject | undefined;
  /** Undefined when the value is not a valid record of this client. The server then rejects the client. */
  readonly client: Client | undefined;
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

interface ListOptions {
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly progress: Progress;
  /** A glob of Redis for the `client_id` or the name. Default: all. */
  readonly pattern?: string | undefined;
}

const BATCH_SIZE = 1_000;

/**
 * All values of client keys, sorted by `client_id`. Only the `client_id`s are in memory at once, not the records.
 *
 * @throws {AdministrationError} when Redis fails
 */
export async function* listRecords(store: RecordStore, options: ListOptions): AsyncGenerator<ListedRecord> {
  const { policy, now } = options;
  for await (const { id: clientId, value } of listValues(store, 'client', options)) {
    yield { clientId, value, ...parseStoredValue(clientId, value, policy, now) };
  }
}

/**
 * All values of resource keys, sorted by name.
 *
 * @throws {AdministrationError} when Redis fails
 */
export async function* listResources(store: RecordStore, options: ListOptions): AsyncGenerator<ListedResource> {
  for await (const { id: name, value } of listValues(store, 'resource', options)) {
    yield parseResourceValue(name, value, options.policy);
  }
}

async function* listValues(
  store: RecordStore,
  type: RecordType,
  { progress, pattern }: ListOptions,
): AsyncGenerator<{ readonly id: string; readonly value: StoredValue }> {
  const found = new Set<string>();
  for await (const batch of store.scanIds(type, pattern)) for (const id of batch) found.add(id);
  const ids = [...found].sort();
  const toKey = type === 'client' ? clientKey : resourceKey;
  const readBatch = async (batch: readonly string[]) => ({ batch, values: await store.read(batch.map(toKey)) });
  let count = 0;
  for await (const { batch, values } of prefetch(inBatches(ids), readBatch)) {
    for (const [index, id] of batch.entries()) {
      const value = values[index];
      if (value && value.type !== 'none') yield { id, value };
    }
    count += batch.length;
    progress('read', count, ids.length);
  }
}

async function* inBatches(ids: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let start = 0; start < ids.length; start += BATCH_SIZE) yield ids.slice(start, start + BATCH_SIZE);
}

/**
 * Parses the value of a client's key by the rules of the server.
 *
 * @param now milliseconds since the epoch
 */
export function parseStoredValue(
  clientId: string,
  value: StoredValue,
  policy: RegistrationPolicy,
  now: number,
): ParsedValue {
  const decoded = decodeObject(value);
  if (typeof decoded === 'string') {
    return { record: undefined, client: undefined, errors: [{ field: '(record)', message: decoded }], warnings: [] };
  }
  // The value as stored, as the server reads it: not reordered.
  const parsed = parseStoredRecord(clientId, decoded, policy, now);
  const record = inSchemaOrder('client', decoded);
  if (!parsed.ok) return { record, client: undefined, errors: parsed.errors, warnings: [] };
  return { record, client: parsed.client, errors: [], warnings: parsed.warnings };
}

/** Parses the value of a resource's key by the rules of the server. */
export function parseResourceValue(name: string, value: StoredValue, policy: RegistrationPolicy): ListedResource {
  const decoded = decodeObject(value);
  if (typeof decoded === 'string') {
    const errors = [{ field: '(record)', message: decoded }];
    return { name, record: undefined, resource: undefined, errors };
  }
  const parsed = parseStoredResource(name, decoded, policy);
  const record = inSchemaOrder('resource', decoded);
  if (!parsed.ok) return { name, record, resource: undefined, errors: parsed.errors };
  return { name, record, resource: parsed.resource, errors: [] };
}

/**
 * What a valid record registers, by the rules of the server; undefined of an invalid one.
 *
 * @param now milliseconds since the epoch
 */
export function parseRegistered(
  { type, id }: RecordKey,
  value: StoredValue,
  policy: RegistrationPolicy,
  now: number,
): Registered | undefined {
  if (type === 'client') {
    const { client } = parseStoredValue(id, value, policy, now);
    return client && { type, client };
  }
  const { resource } = parseResourceValue(id, value, policy);
  return resource && { type, resource };
}

/** @returns the JSON object in a value, its fields in the order of the schema; otherwise what the value is, in words */
export function decodeStoredValue({ type }: Pick<RecordKey, 'type'>, value: StoredValue): JsonObject | string {
  const decoded = decodeObject(value);
  return typeof decoded === 'string' ? decoded : inSchemaOrder(type, decoded);
}

function decodeObject(value: StoredValue): JsonObject | string {
  if (value.type === 'none') return 'is missing';
  if (value.type === 'other') return `is a ${value.name}; expected a string with JSON`;
  return decodeRecord(value.bytes ?? value.text);
}

/** Lossless, because a value that would lose data is rejected as a record. */
function inSchemaOrder(type: RecordType, record: JsonObject): JsonObject {
  return JSON.parse(recordTypes[type].serialize(record));
}
