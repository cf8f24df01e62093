import { type JsonObject, nonJsonValue } from './json-value.ts';
import { type ClientParseResult, parseClient } from './parse-client.ts';
import type { RegistrationPolicy } from './registration-policy.ts';
import { findDataLoss } from './strict-json.ts';

/**
 * Decodes the value of a client's key in Redis. The server and the commands decode values only with this and
 * {@link parseStoredRecord}, so that both accept the same records.
 *
 * @param value bytes if it may not be valid UTF-8
 * @returns the record, or why the value is not one, as the predicate of a sentence
 */
export function decodeRecord(value: string | Uint8Array): JsonObject | string {
  try {
    const text = typeof value === 'string' ? value : decodeUtf8(value);
    const parsed: unknown = JSON.parse(text);
    if (!isJsonObject(parsed)) return 'is not a JSON object';
    const invalid = nonJsonValue(parsed);
    if (invalid)
      return invalid.field === '(record)' ? invalid.message : `contains ${invalid.field}, which ${invalid.message}`;
    const loss = findDataLoss(text, parsed);
    return loss ? `would change when parsed: ${loss.message} at column ${loss.position.column}` : parsed;
  } catch (error) {
    return error instanceof TypeError ? 'is not valid UTF-8' : 'is not valid JSON';
  }
}

/**
 * Parses a decoded record by the rules of the server. Its `client_id` must be the one in its key.
 *
 * @param now milliseconds since the epoch
 */
export function parseStoredRecord(
  clientId: string,
  record: JsonObject,
  policy: RegistrationPolicy,
  now: number,
): ClientParseResult {
  const result = parseClient(record, policy, now);
  if (!result.ok || result.client.clientId === clientId) return result;
  // It is safe to repeat, because it has the grammar of a client_id.
  const message = `is "${result.client.clientId}", which differs from the client_id in its Redis key`;
  return { ok: false, errors: [{ field: 'client_id', message }] };
}

/** A byte order mark is kept, and JSON.parse rejects it. */
function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** JSON.parse makes objects of JSON values only. */
function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
