import type { Answer } from '../cache/near-cache.ts';
import { abbreviate } from '../text.ts';
import type { Client } from './client.ts';
import type { RegistrationPolicy } from './findings.ts';
import { judgeRecord, recordInValue } from './judge-value.ts';

/** What stands under a client's key. */
export type StoredClient =
  | { readonly kind: 'client'; readonly client: Client }
  | { readonly kind: 'none' }
  /** A value that is no sound record of this client. */
  | { readonly kind: 'unusable'; readonly reason: string };

export const noClient: Answer<StoredClient> = { kind: 'absent', value: { kind: 'none' }, bytes: 0 };

/** Measured: what the objects of a small record take, and what each octet of a larger one adds. */
const BYTES_OF_CLIENT = 1_500;
const BYTES_OF_OCTET = 2;

/**
 * Reads a record as it stands in the store.
 *
 * @param now milliseconds since the epoch
 */
export function readStoredClient(
  octets: Uint8Array,
  clientId: string,
  policy: RegistrationPolicy,
  now: number,
): Answer<StoredClient> {
  const record = recordInValue(octets);
  if (typeof record === 'string') return unusable(record);
  const read = judgeRecord(clientId, record, policy, now);
  if (!read.ok) return unusable(read.faults.map(({ field, message }) => `${field} ${message}`).join('; '));
  const bytes = BYTES_OF_CLIENT + BYTES_OF_OCTET * octets.length;
  return { kind: 'present', value: { kind: 'client', client: read.client }, bytes };
}

export function unusable(why: string): Answer<StoredClient> {
  // It may repeat a good part of the record.
  const reason = abbreviate(why);
  return { kind: 'absent', value: { kind: 'unusable', reason }, bytes: BYTES_OF_OCTET * reason.length };
}
