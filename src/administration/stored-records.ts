import type { RegistrationPolicy } from '../clients/diagnostics.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { overlapped } from './overlapped.ts';
import type { Progress } from './progress.ts';
import type { RecordStore } from './record-store.ts';
import { readStoredRecord, type StoredRecord } from './stored-record.ts';

/** One value of Redis, and what the server makes of it. */
export interface ListedRecord extends StoredRecord {
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
export async function* storedRecords(store: RecordStore, options: ListOptions): AsyncGenerator<ListedRecord> {
  const { policy, now, progress, pattern } = options;
  const found = new Set<string>();
  for await (const batch of store.clientIds(pattern)) for (const clientId of batch) found.add(clientId);
  const clientIds = [...found].sort();
  const read = async (part: readonly string[]) => ({ part, values: await store.read(part) });
  let count = 0;
  for await (const { part, values } of overlapped(inParts(clientIds), read)) {
    for (const [index, clientId] of part.entries()) {
      const value = values[index];
      if (value && value.type !== 'none') yield { clientId, value, ...readStoredRecord(clientId, value, policy, now) };
    }
    count += part.length;
    progress('read', count, clientIds.length);
  }
}

async function* inParts(clientIds: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let start = 0; start < clientIds.length; start += PART) yield clientIds.slice(start, start + PART);
}
