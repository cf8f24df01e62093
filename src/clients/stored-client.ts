import type { Answer } from '../cache/near-cache.ts';
import type { Client } from './client.ts';
import type { RegistrationPolicy } from './findings.ts';
import { readClient } from './read-client.ts';

/** What stands under a client's key. */
export type StoredClient =
  | { readonly kind: 'client'; readonly client: Client }
  | { readonly kind: 'none' }
  /** A value that is no sound record of this client. */
  | { readonly kind: 'unusable'; readonly reason: string };

export const noClient: Answer<StoredClient> = { kind: 'absent', value: { kind: 'none' } };

/** Measured: what the objects of a small record take, and what each character of a larger one adds. */
const BYTES_OF_CLIENT = 1_500;
const BYTES_OF_CHARACTER = 2;

/**
 * Reads a record as it stands in the store.
 *
 * @param now milliseconds since the epoch
 */
export function readStoredClient(
  text: string,
  clientId: string,
  policy: RegistrationPolicy,
  now: number,
): Answer<StoredClient> {
  const value = parseJson(text);
  if (value === undefined) return unusable('not JSON');
  const read = readClient(value, policy, now);
  if (!read.ok) return unusable(read.faults.map(({ field, message }) => `${field} ${message}`).join('; '));
  if (read.client.clientId !== clientId) return unusable(`client_id is "${read.client.clientId}"`);
  const bytes = BYTES_OF_CLIENT + BYTES_OF_CHARACTER * text.length;
  return { kind: 'present', value: { kind: 'client', client: read.client }, bytes };
}

export function unusable(reason: string): Answer<StoredClient> {
  return { kind: 'absent', value: { kind: 'unusable', reason } };
}

/** JSON never says undefined, which stands for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
