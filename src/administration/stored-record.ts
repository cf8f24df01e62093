import type { Client, Json } from '../clients/client.ts';
import type { Fault, RegistrationPolicy } from '../clients/findings.ts';
import { readClient } from '../clients/read-client.ts';
import { recordText } from '../clients/record-text.ts';
import type { StoredValue } from '../redis/stored-values.ts';

/** What the server makes of the value of a client's key. */
export interface StoredRecord {
  /** The record as the value holds it; undefined where that is no object of JSON. */
  readonly record: JsonObject | undefined;
  /** Undefined where the value is not a sound record of this client, which is then nobody's. */
  readonly client: Client | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

export type JsonObject = { readonly [name: string]: Json };

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
  const record = recordOf(value);
  if (typeof record === 'string') return unusable(undefined, [{ field: '(record)', message: record }]);
  const read = readClient(record, policy, now);
  if (!read.ok) return unusable(record, read.faults);
  if (read.client.clientId !== clientId) {
    return unusable(record, [{ field: 'client_id', message: 'is not the one that its key in Redis names' }]);
  }
  return { record, client: read.client, faults: [], warnings: read.warnings };
}

function unusable(record: JsonObject | undefined, faults: readonly Fault[]): StoredRecord {
  return { record, client: undefined, faults, warnings: [] };
}

/**
 * The object of JSON that a value holds, its names in the order of the schema, or in words what it is instead.
 */
export function recordOf(value: StoredValue): JsonObject | string {
  if (value.type === 'none') return 'is not there';
  if (value.type === 'other') return `is a ${value.name}; expected a string of JSON`;
  if (value.octets) return 'is not text in UTF-8';
  try {
    const parsed = JSON.parse(recordText(JSON.parse(value.text)));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? parsed
      : 'is not an object of JSON';
  } catch (error) {
    return error instanceof RangeError ? 'is nested too deeply' : 'is not JSON';
  }
}
