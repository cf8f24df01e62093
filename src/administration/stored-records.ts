import type { Client } from '../clients/client.ts';
import type { Diagnostic } from '../clients/diagnostics.ts';
import type { JsonObject } from '../clients/json-value.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { serializeRecord } from '../clients/serialize-record.ts';
import { decodeRecord, parseStoredRecord } from '../clients/stored-record.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { prefetch } from './prefetch.ts';
import type { Progress, RecordStore } from './record-store.ts';

/** The value of a client in Redis, and how the server interprets it. */
export interface ListedRecord extends ParsedValue {
  readonly clientId: string;
  readonly value: StoredValue;
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
  /** A glob of Redis for the `client_id`. Default: all. */
  readonly pattern?: string | undefined;
}

const BATCH_SIZE = 1_000;

/**
 * All values of client keys, sorted by `client_id`. Only the `client_id`s are in memory at once, not the records.
 *
 * @throws {AdministrationError} when Redis fails
 */
export async function* listRecords(store: RecordStore, options: ListOptions): AsyncGenerator<ListedRecord> {
  const { policy, now, progress, pattern } = options;
  const found = new Set<string>();
  for await (const batch of store.scanClientIds(pattern)) for (const clientId of batch) found.add(clientId);
  const clientIds = [...found].sort();
  const readBatch = async (batch: readonly string[]) => ({ batch, values: await store.read(batch) });
  let count = 0;
  for await (const { batch, values } of prefetch(inBatches(clientIds), readBatch)) {
    for (const [index, clientId] of batch.entries()) {
      const value = values[index];
      if (value && value.type !== 'none') yield { clientId, value, ...parseStoredValue(clientId, value, policy, now) };
    }
    count += batch.length;
    progress('read', count, clientIds.length);
  }
}

async function* inBatches(clientIds: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let start = 0; start < clientIds.length; start += BATCH_SIZE) yield clientIds.slice(start, start + BATCH_SIZE);
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
  const record = inSchemaOrder(decoded);
  if (!parsed.ok) return { record, client: undefined, errors: parsed.errors, warnings: [] };
  return { record, client: parsed.client, errors: [], warnings: parsed.warnings };
}

/** @returns the JSON object in a value, its fields in the order of the schema; otherwise what the value is, in words */
export function decodeStoredValue(value: StoredValue): JsonObject | string {
  const decoded = decodeObject(value);
  return typeof decoded === 'string' ? decoded : inSchemaOrder(decoded);
}

function decodeObject(value: StoredValue): JsonObject | string {
  if (value.type === 'none') return 'is missing';
  if (value.type === 'other') return `is a ${value.name}; expected a string with JSON`;
  return decodeRecord(value.bytes ?? value.text);
}

/** Lossless, because a value that would lose data is rejected as a record. */
function inSchemaOrder(record: JsonObject): JsonObject {
  return JSON.parse(serializeRecord(record));
}
