import type { Json } from './client.ts';
import type { RegistrationPolicy } from './diagnostics.ts';
import { type ClientParseResult, nonJsonValue, parseClient } from './parse-client.ts';
import { findDataLoss } from './strict-json.ts';

/** An object of JSON. */
export type JsonObject = { readonly [name: string]: Json };

/**
 * The object of JSON that a client's key in Redis holds, or in words what it holds instead. The server and the commands
 * read values by this and {@link parseStoredRecord} alone, so that neither takes for a record what the other does not.
 *
 * @param value octets wherever they might not be text in UTF-8
 */
export function decodeRecord(value: string | Uint8Array): JsonObject | string {
  try {
    const text = typeof value === 'string' ? value : decoded(value);
    const parsed: unknown = JSON.parse(text);
    if (!isObject(parsed)) return 'is not an object of JSON';
    const obstacle = nonJsonValue(parsed);
    if (obstacle)
      return obstacle.field === '(record)' ? obstacle.message : `has a ${obstacle.field} that ${obstacle.message}`;
    const loss = findDataLoss(text, parsed);
    return loss ? `says something else than is read: ${loss.message}` : parsed;
  } catch (error) {
    return error instanceof TypeError ? 'is not text in UTF-8' : 'is not JSON';
  }
}

/**
 * Judges the record under a client's key by the server's rules.
 *
 * @param now milliseconds since the epoch
 */
export function parseStoredRecord(
  clientId: string,
  record: JsonObject,
  policy: RegistrationPolicy,
  now: number,
): ClientParseResult {
  const read = parseClient(record, policy, now);
  if (!read.ok || read.client.clientId === clientId) return read;
  // It has passed its grammar, so that it can be repeated.
  const message = `is "${read.client.clientId}", which is not the one that its key in Redis names`;
  return { ok: false, errors: [{ field: 'client_id', message }] };
}

/** A byte order mark stays, and is no JSON. */
function decoded(octets: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
}

/** What JSON.parse has made has nothing else in it. */
function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
