import type { Client } from '../clients/client.ts';
import type { Fault, RegistrationPolicy } from '../clients/diagnostics.ts';
import { recordText } from '../clients/serialize-record.ts';
import { type JsonObject, judgeRecord, recordInValue } from '../clients/stored-record.ts';
import type { StoredValue } from '../redis/commands/values.ts';

/** What the server makes of the value of a client's key. */
export interface StoredRecord {
  /** The record as the value holds it; undefined where that is no object of JSON. */
  readonly record: JsonObject | undefined;
  /** Undefined where the value is not a sound record of this client, which is then nobody's. */
  readonly client: Client | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

export type { JsonObject } from '../clients/stored-record.ts';

/**
 * Reads the value of a client's key by the server's own rules.
 *
 * @param now milliseconds since the epoch
 */
export function readStoredRecord(
  clientId: string,
  value: StoredValue,
  policy: RegistrationPolicy,
  now: number,
): StoredRecord {
  const stored = storedObject(value);
  if (typeof stored === 'string') {
    return { record: undefined, client: undefined, faults: [{ field: '(record)', message: stored }], warnings: [] };
  }
  // What stands there, and not what is written in its place.
  const read = judgeRecord(clientId, stored, policy, now);
  const record = inOrder(stored);
  if (!read.ok) return { record, client: undefined, faults: read.faults, warnings: [] };
  return { record, client: read.client, faults: [], warnings: read.warnings };
}

/**
 * The object of JSON that a value holds, its names in the order of the schema, or in words what it is instead.
 */
export function recordOf(value: StoredValue): JsonObject | string {
  const stored = storedObject(value);
  return typeof stored === 'string' ? stored : inOrder(stored);
}

function storedObject(value: StoredValue): JsonObject | string {
  if (value.type === 'none') return 'is not there';
  if (value.type === 'other') return `is a ${value.name}; expected a string of JSON`;
  return recordInValue(value.octets ?? value.text);
}

/** Nothing is lost on the way: what could be is no record. */
function inOrder(record: JsonObject): JsonObject {
  return JSON.parse(recordText(record));
}
